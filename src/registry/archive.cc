#include "registry/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include "base/json.h"

namespace hive::registry {
namespace {

constexpr std::size_t kBlock = 1U << 20;
constexpr std::size_t kMaxDocument = 16U << 20;
constexpr int kMaxLinks = 8;

std::string normal(const std::filesystem::path& path) {
  return path.lexically_normal().generic_string();
}

// A symbolic link is relative to its own place, a hard link to the archive's top.
std::string link_of(archive_entry* entry, const std::string& name) {
  if (const char* target = archive_entry_hardlink(entry)) return normal(target);
  if (archive_entry_filetype(entry) != AE_IFLNK) return {};
  const char* target = archive_entry_symlink(entry);
  return target == nullptr ? std::string()
                           : normal(std::filesystem::path(name).parent_path() / target);
}

Result<std::string> read_document(const std::filesystem::path& path, const std::string& entry) {
  HIVE_ASSIGN(auto reader, EntryReader::open(path, entry));
  std::string out;
  std::string piece(64U << 10, '\0');
  while (true) {
    HIVE_ASSIGN(const std::size_t got, reader.read(piece.data(), piece.size()));
    if (got == 0) return out;
    out.append(piece, 0, got);
    if (out.size() > kMaxDocument)
      return fail(Errc::kCorrupt, fmt::format("{}: {} is too long", path.string(), entry));
  }
}

Result<std::vector<std::string>> strings(const Json& object, const char* member,
                                         const std::string& where) {
  std::vector<std::string> out;
  const Json* list = json_path(object, member);
  if (list == nullptr || !list->is_array())
    return fail(Errc::kCorrupt, fmt::format("{} has no list {}", where, member));
  for (const Json& one : *list) {
    if (!one.is_string())
      return fail(Errc::kCorrupt, fmt::format("{}: {} holds more than words", where, member));
    out.push_back(one.get<std::string>());
  }
  return out;
}

}  // namespace

void EntryReader::Close::operator()(archive* handle) const { archive_read_free(handle); }

// Nothing but the link's target when the entry is one.
Result<EntryReader> EntryReader::open_plain(const std::filesystem::path& path,
                                            const std::string& entry, std::string& link) {
  Handle handle(archive_read_new());
  archive_read_support_filter_all(handle.get());
  archive_read_support_format_tar(handle.get());
  const auto broken = [&] {
    const char* why = archive_error_string(handle.get());
    return fail(Errc::kInvalidArgument,
                fmt::format("{} is no image archive of 'docker save': {}", path.string(),
                            why == nullptr ? "unreadable" : why));
  };
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return fail(Errc::kNotFound, fmt::format("there is no file {}", path.string()));
  if (archive_read_open_filename(handle.get(), path.c_str(), kBlock) != ARCHIVE_OK) return broken();
  archive_entry* at = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(handle.get(), &at)) == ARCHIVE_OK) {
    const char* name = archive_entry_pathname(at);
    if (name == nullptr || normal(name) != entry) continue;
    link = link_of(at, entry);
    return EntryReader(std::move(handle));
  }
  if (status != ARCHIVE_EOF) return broken();
  return fail(
      Errc::kInvalidArgument,
      fmt::format("{} is no image archive of 'docker save': it has no {}", path.string(), entry));
}

Result<EntryReader> EntryReader::open(const std::filesystem::path& path, const std::string& entry) {
  std::string name = normal(entry);
  for (int links = 0; links < kMaxLinks; ++links) {
    std::string link;
    auto reader = open_plain(path, name, link);
    if (!reader || link.empty()) return reader;
    name = std::move(link);
  }
  return fail(Errc::kCorrupt, fmt::format("{}: {} is a link to itself", path.string(), entry));
}

Result<std::size_t> EntryReader::read(char* buffer, std::size_t size) {
  const auto got = archive_read_data(handle_.get(), buffer, size);
  if (got >= 0) return static_cast<std::size_t>(got);
  const char* why = archive_error_string(handle_.get());
  return fail(Errc::kCorrupt,
              fmt::format("reading an image archive: {}", why == nullptr ? "half an entry" : why));
}

Result<ArchivedImage> read_archive(const std::filesystem::path& path) {
  HIVE_ASSIGN(const auto text, read_document(path, "manifest.json"));
  const std::string where = path.string() + ": manifest.json";
  HIVE_ASSIGN(const Json manifest, parse_json(text, where));
  if (!manifest.is_array() || manifest.empty())
    return fail(Errc::kInvalidArgument, where + " names no image");
  ArchivedImage out;
  HIVE_ASSIGN(out.layers, strings(manifest.front(), "Layers", where));
  HIVE_ASSIGN(out.config, read_document(path, json_string(manifest.front(), "Config")));
  const std::string config_name = path.string() + ": the image's configuration";
  HIVE_ASSIGN(const Json config, parse_json(out.config, config_name));
  HIVE_ASSIGN(out.diff_ids, strings(config, "rootfs.diff_ids", config_name));
  if (out.diff_ids.size() != out.layers.size())
    return fail(Errc::kCorrupt, fmt::format("{} tells of {} layers, manifest.json of {}",
                                            config_name, out.diff_ids.size(), out.layers.size()));
  return out;
}

}  // namespace hive::registry
