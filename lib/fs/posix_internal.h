// What the files of the real file system share. Private to fs.
#pragma once

#include <memory>
#include <string>

#include "fs/fs.h"

namespace mq::fs {

std::unique_ptr<File> make_posix_file(int descriptor, std::string path);
// Maps [0, bytes) of the open file.
Result<std::unique_ptr<Mapping>> map_posix(int descriptor, std::int64_t bytes, MapMode mode,
                                           const std::string& path);

}  // namespace mq::fs
