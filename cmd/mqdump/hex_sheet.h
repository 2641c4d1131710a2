// Annotated bytes on standard output: for people with colours on a terminal, or a JSON object a
// field.
#pragma once

#include <string>

#include "base/bytes.h"
#include "inspect/annotate.h"

namespace mq::mqdump {

// `bytes` begin where the annotation begins; `indent` stands before each line.
void append_sheet(std::string& out, const inspect::Annotation& annotation, Bytes bytes, bool colour,
                  std::string_view indent = {});
// `of`: what the fields belong to, `where`: file and position.
void append_sheet_json(std::string& out, const inspect::Annotation& annotation, Bytes bytes,
                       const std::string& of, const std::string& where);

}  // namespace mq::mqdump
