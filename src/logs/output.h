// The door to a destination of log lines: a directory on the node or a mounted share.
//
// Every call may block for as long as the share does not answer; each destination has a thread of
// its own for that reason (writer.h). Faults in tests are put in front of the real thing here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hive::logs {

// A file that grows at its end. One writer a file: appending over NFS is not atomic between nodes.
class OutputFile {
 public:
  virtual ~OutputFile() = default;
  virtual Result<std::uint64_t> size() const = 0;
  // How many bytes were appended; fewer than asked only when the next call will say why.
  virtual Result<std::size_t> append(std::string_view bytes) = 0;
  // What was appended survives a power failure, the file's name included. After a failure nothing
  // since the last success may be taken for kept.
  virtual Status sync() = 0;
  virtual Status cut(std::uint64_t size) = 0;
  // Up to `length` bytes at the offset; fewer at the file's end.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t length) const = 0;
};

struct StoredFile {
  std::string name;  // below the directory
  std::uint64_t bytes = 0;
  std::int64_t modified_unix_s = 0;
};

class OutputDirectory {
 public:
  virtual ~OutputDirectory() = default;
  // Names are relative; directories on the way are made. kAlreadyExists.
  virtual Result<std::unique_ptr<OutputFile>> create(const std::string& name) = 0;
  // kNotFound; kInvalidArgument when it is not a regular file.
  virtual Result<std::unique_ptr<OutputFile>> open(const std::string& name) = 0;
  // For keeping the store within its bounds: all files, capacity of the file system, removal.
  virtual Result<std::vector<StoredFile>> list() const = 0;
  virtual Result<std::uint64_t> capacity() const = 0;
  virtual Status remove(const std::string& name) = 0;
};

// `make`: the directory itself is created when it is missing. A share must be there already: a
// share that is not mounted is a fault and not a directory on the node's own disk.
std::unique_ptr<OutputDirectory> make_output_directory(std::filesystem::path path, bool make);

}  // namespace hive::logs
