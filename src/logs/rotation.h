// Rotation by copying: a rotator copies `app.log` to `app.log.1` and then truncates `app.log`. What
// was written between the last look and the truncation is in the copy alone; and the copy's lines
// up to that look have been carried already.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "logs/container_root.h"

namespace hive::logs {

// A rotator would call a copy of `original` so: "app.log.1", "app.log-20260101", "app-1.log".
bool may_be_copy(std::string_view path, std::string_view original);

// True when the file begins with the head, as far as both go. False for an empty file.
bool begins_as(int fd, std::string_view head);

struct FileCopy {
  FileId id;
  os::UniqueFd fd;
};
// The copy that was made of the file at `path` before it was truncated: a file of such a name that
// begins as it did and of which `holds(descriptor, size)` says that the rest agrees too.
std::optional<FileCopy> find_copy(const ContainerRoot& root, const std::string& path,
                                  FileId original, std::string_view head,
                                  const std::function<bool(int, std::uint64_t)>& holds);

// Up to `length` bytes at the offset; fewer at the end of the file or after a fault.
std::string read_at(int fd, std::uint64_t offset, std::size_t length);

}  // namespace hive::logs
