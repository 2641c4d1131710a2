// A store's files as values, so that a test can damage them, put them somewhere, and have them back
// as they were.
#pragma once

#include <map>
#include <string>

#include "fs/fs.h"

namespace mq::test {

struct StoreImage {
  // Path below the store's directory -> content. Directories exist by what is in them.
  std::map<std::string, std::string> files;

  // Everything below `root` except `lock`. A failure ends the test program.
  static StoreImage read(fs::Fs& fs, const std::string& root);
  // Makes `root` hold exactly these files (and `lock`, if there is one). `there`, if given, is what
  // `root` holds now: then only what differs is written.
  void write(fs::Fs& fs, const std::string& root, const StoreImage* there = nullptr) const;

  friend bool operator==(const StoreImage&, const StoreImage&) = default;
};

}  // namespace mq::test
