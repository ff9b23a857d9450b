// For the tests of this room: files with a content, loads from a few figures.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "simulator/load.h"

namespace hive::simulator {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content, const std::string& name = "trace.txt")
      : directory_("/tmp/hive-simulator-XXXXXX") {
    if (mkdtemp(directory_.data()) == nullptr) std::abort();
    path_ = directory_ + "/" + name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() {
    std::remove(path_.c_str());
    rmdir(directory_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
};

inline Load load_of(std::vector<float> requests) {
  return {.name = "test", .start = 0, .requests = std::move(requests)};
}

}  // namespace hive::simulator
