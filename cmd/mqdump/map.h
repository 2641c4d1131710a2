// The space of a commit log drawn in lines: one for each topic, and what is dead, damaged, free or
// gone.
#pragma once

#include <string>
#include <vector>

#include "inspect/log_reader.h"
#include "inspect/space_map.h"

namespace mq::mqdump {

struct MapStyle {
  bool blocks = false;  // UTF-8 blocks; else characters that every terminal has
  bool colour = false;
  std::size_t topics = 20;  // the biggest; the others share a line
};
inline constexpr int kMapLabelColumns = 24;
inline constexpr int kMapTotalColumns = 10;

void append_map(std::string& out, const inspect::SpaceMap& map,
                const std::vector<inspect::LogFile>& files, const MapStyle& style);
void append_map_json(std::string& out, const inspect::SpaceMap& map,
                     const std::vector<inspect::LogFile>& files);

}  // namespace mq::mqdump
