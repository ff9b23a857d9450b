#include "logs/rotation.h"

#include <unistd.h>

#include <algorithm>

namespace hive::logs {
namespace {

std::string_view directory_of(std::string_view path) { return path.substr(0, path.rfind('/')); }
std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Characters that mean something to a glob are taken literally.
std::string quoted(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

bool may_be_copy(std::string_view path, std::string_view original) {
  if (path == original || directory_of(path) != directory_of(original)) return false;
  const std::string_view name = name_of(original);
  const std::string_view stem = name.substr(0, std::max<std::size_t>(name.rfind('.'), 1));
  return name_of(path).starts_with(name.rfind('.') == std::string_view::npos ? name : stem);
}

bool begins_as(int fd, std::string_view head) {
  const std::string begin = read_at(fd, 0, head.size());
  return !begin.empty() && head.starts_with(begin);
}

std::optional<FileCopy> find_copy(const ContainerRoot& root, const std::string& path,
                                  FileId original, std::string_view head,
                                  const std::function<bool(int, std::uint64_t)>& holds) {
  if (head.empty()) return std::nullopt;
  const std::string pattern = quoted(directory_of(path)) + "/*";
  for (const FoundFile& file : root.find(pattern, [](int) {})) {
    if (file.id == original || !may_be_copy(file.path, path)) continue;
    auto fd = root.open(file.path);
    if (fd && begins_as(fd->get(), head) && holds(fd->get(), file.size))
      return FileCopy{file.id, std::move(*fd)};
  }
  return std::nullopt;
}

std::string read_at(int fd, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  const ssize_t got = ::pread(fd, bytes.data(), length, static_cast<off_t>(offset));
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace hive::logs
