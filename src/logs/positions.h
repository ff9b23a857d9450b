// What a collector keeps so that the next one goes on where it was killed: for each source file its
// identity, how far it is durable, and the destination files that hold it. One file a destination,
// replaced as a whole after each batch of fsyncs.
//
// Losing it loses no line: what is at the destination is compared with the sources (tail.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "logs/container_root.h"

namespace hive::logs {

struct OutputPosition {
  std::string name;         // of the destination file; empty = nothing was written yet
  std::uint64_t bytes = 0;  // of it durable
  bool operator==(const OutputPosition&) const = default;
};

struct Position {
  std::string path;  // inside the container
  FileId id;
  std::uint64_t offset = 0;  // durable up to here
  std::uint64_t base = 0;    // where in the source the destination file begins
  std::string check;         // the last bytes before `offset`, in hexadecimal: another file of the
                             // same inode has others
  OutputPosition out;
  OutputPosition err;  // of json-file logs
  bool operator==(const Position&) const = default;
};

struct ContainerPositions {
  std::int64_t finished_unix_s = 0;  // 0 = not finished
  std::vector<Position> files;
};

// By container id.
using Positions = std::map<std::string, ContainerPositions>;

std::string encode_positions(const Positions& positions);
// kCorrupt for what is not such a file.
Result<Positions> decode_positions(std::string_view text);

}  // namespace hive::logs
