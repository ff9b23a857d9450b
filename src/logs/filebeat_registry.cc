#include "logs/filebeat_registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <utility>

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "logs/rotation.h"

namespace hive::logs {
namespace {

constexpr std::size_t kMaxFileBytes = 256U << 20;
constexpr int kReadTries = 5;
constexpr std::size_t kFingerprintBytes = 1'024;
constexpr std::uint64_t kLongestTail = 1U << 20;

using Table = std::map<std::string, Json>;

Result<std::string> read_whole(const ContainerRoot& root, const std::string& path) {
  HIVE_ASSIGN(const os::UniqueFd fd, root.open(path));
  std::string text;
  while (true) {
    const std::string piece = read_at(fd.get(), text.size(), 1U << 20);
    if (piece.empty()) return text;
    text += piece;
    if (text.size() > kMaxFileBytes)
      return fail(Errc::kResourceExhausted,
                  fmt::format("{} is larger than {} bytes", path, kMaxFileBytes));
  }
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// The newest checkpoint's transaction; 0 = there is none.
std::uint64_t newest_checkpoint(const ContainerRoot& root, const std::string& store) {
  std::uint64_t newest = 0;
  for (const FoundFile& file : root.find(store + "/*.json", [](int) {})) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    if (const auto id = number_of(name.substr(0, name.size() - 5))) newest = std::max(newest, *id);
  }
  return newest;
}

Result<Table> read_checkpoint(const ContainerRoot& root, const std::string& path) {
  HIVE_ASSIGN(const std::string text, read_whole(root, path));
  HIVE_ASSIGN(Json array, parse_json(text, path));
  if (!array.is_array()) return fail(Errc::kCorrupt, path + " is not a checkpoint of Filebeat's");
  Table table;
  for (Json& object : array) {
    std::string key = json_string(object, "_key");
    if (!key.empty()) table[std::move(key)] = std::move(object);
  }
  return table;
}

// Go takes names of members in either case.
const Json* member(const Json& object, std::string_view lower, std::string_view upper) {
  const Json* value = json_member(object, lower);
  return value != nullptr ? value : json_member(object, upper);
}

// Stops, as Filebeat does, at what is incomplete or out of order: that was not committed.
void apply_log(std::string_view text, std::uint64_t last, Table& table) {
  const auto next_line = [&text]() -> std::optional<std::string_view> {
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline + 1);
    return line;
  };
  while (true) {
    const auto action_line = next_line();
    const auto data_line = action_line ? next_line() : std::nullopt;
    if (!data_line) return;
    const auto action = parse_json(*action_line, "operation");
    const auto data = parse_json(*data_line, "operation");
    if (!action || !data) return;
    const auto id = static_cast<std::uint64_t>(json_int(*action, "id"));
    if (id <= last) continue;  // older than the checkpoint: log.json was not truncated yet
    if (last != 0 && id != last + 1) return;
    if (last == 0 && id != 1) return;
    last = id;
    const Json* key = member(*data, "k", "K");
    if (key == nullptr || !key->is_string()) return;
    const std::string op = json_string(*action, "op");
    const Json* value = member(*data, "v", "V");
    if (op == "set" && value != nullptr)
      table[key->get<std::string>()] = *value;
    else if (op == "remove")
      table.erase(key->get<std::string>());
    else
      return;
  }
}

Result<Table> read_table(const ContainerRoot& root, const std::string& store) {
  for (int tries = 0; tries < kReadTries; ++tries) {
    const std::uint64_t newest = newest_checkpoint(root, store);
    Table table;
    if (newest != 0) {
      auto checkpoint = read_checkpoint(root, fmt::format("{}/{}.json", store, newest));
      if (!checkpoint && newest_checkpoint(root, store) != newest) continue;
      if (!checkpoint) return tl::unexpected(checkpoint.error());
      table = std::move(*checkpoint);
    }
    const auto log = read_whole(root, store + "/log.json");
    if (!log && log.error().code != Errc::kNotFound) return tl::unexpected(log.error());
    if (newest_checkpoint(root, store) != newest) continue;
    if (log) apply_log(*log, newest, table);
    return table;
  }
  return fail(Errc::kUnavailable, "Filebeat's registry changes faster than it can be read");
}

// "…::native::INODE-DEVICE"
std::optional<FileId> native_of(const std::string& key) {
  constexpr std::string_view kMark = "::native::";
  const auto mark = key.rfind(kMark);
  if (mark == std::string::npos) return std::nullopt;
  const auto parts = split(std::string_view(key).substr(mark + kMark.size()), '-');
  const auto inode = parts.empty() ? std::nullopt : number_of(parts[0]);
  const auto device = parts.size() < 2 ? std::nullopt : number_of(parts[1]);
  if (!inode || !device) return std::nullopt;
  return FileId{*device, *inode};
}

std::string fingerprint_of(const std::string& key) {
  constexpr std::string_view kMark = "::fingerprint::";
  const auto mark = key.rfind(kMark);
  return mark == std::string::npos ? "" : key.substr(mark + kMark.size());
}

std::optional<FilebeatEntry> entry_of(const std::string& key, const Json& value) {
  FilebeatEntry entry{.key = key};
  const bool log_input = key.starts_with("filebeat::logs::");
  if (!log_input && !key.starts_with("filestream::")) return std::nullopt;
  entry.source = json_string(value, log_input ? "source" : "meta.source");
  const std::int64_t offset = json_int(value, log_input ? "offset" : "cursor.offset");
  entry.offset = static_cast<std::uint64_t>(std::max<std::int64_t>(offset, 0));
  entry.native = native_of(key);
  entry.fingerprint = fingerprint_of(key);
  entry.growing = json_string(value, "meta.fingerprint");
  return entry;
}

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at + 2 <= text.size(); at += 2) {
    unsigned value = 0;
    const auto result = std::from_chars(text.data() + at, text.data() + at + 2, value, 16);
    if (result.ec != std::errc()) return "";
    bytes += static_cast<char>(value);
  }
  return bytes;
}

enum class Match { kNo, kPath, kIdentity };

Match match(const FilebeatEntry& entry, const ShippedFile& file, const std::string& fingerprint) {
  if (entry.native) {
    if (*entry.native == file.id) return Match::kIdentity;
    // The same file below another mount has another device.
    const bool same = entry.native->inode == file.id.inode && entry.source == file.path;
    return same ? Match::kPath : Match::kNo;
  }
  if (!entry.growing.empty()) {
    const std::string begin = unhex(entry.growing);
    const bool same = !begin.empty() && read_at(file.fd, 0, begin.size()) == begin;
    return same ? Match::kIdentity : Match::kNo;
  }
  if (!entry.fingerprint.empty())
    return entry.fingerprint == fingerprint ? Match::kIdentity : Match::kNo;
  return entry.source == file.path ? Match::kPath : Match::kNo;
}

bool has_no_newline(const ShippedFile& file, std::uint64_t from) {
  if (file.size - from > kLongestTail) return false;
  const auto length = static_cast<std::size_t>(file.size - from);
  const std::string rest = read_at(file.fd, from, length);
  return rest.size() == length && rest.find('\n') == std::string::npos;
}

}  // namespace

bool FilebeatRegistry::fingerprints() const {
  return std::any_of(entries.begin(), entries.end(),
                     [](const FilebeatEntry& entry) { return !entry.fingerprint.empty(); });
}

Result<FilebeatRegistry> read_filebeat_registry(const ContainerRoot& root,
                                                const std::string& directory) {
  std::string store = directory;
  auto meta = read_whole(root, store + "/meta.json");
  if (!meta && meta.error().code == Errc::kNotFound) {
    store += "/filebeat";
    meta = read_whole(root, store + "/meta.json");
  }
  if (!meta && meta.error().code == Errc::kNotFound)
    return fail(Errc::kNotFound,
                fmt::format("there is no registry of Filebeat at {} (no meta.json)", directory));
  if (!meta) return tl::unexpected(meta.error());
  HIVE_ASSIGN(const Json version, parse_json(*meta, store + "/meta.json"));
  if (json_string(version, "version") != "1")
    return fail(Errc::kCorrupt, fmt::format("{}: version {} of the registry is not known here",
                                            store, json_string(version, "version", "?")));
  HIVE_ASSIGN(const Table table, read_table(root, store));
  FilebeatRegistry registry;
  for (const auto& [key, value] : table)
    if (auto entry = entry_of(key, value)) registry.entries.push_back(std::move(*entry));
  return registry;
}

AcknowledgedFile acknowledged(const FilebeatRegistry& registry, const ShippedFile& file) {
  if (file.size == 0) return {};
  const bool prints = registry.fingerprints();
  const std::string fingerprint = prints && file.size >= kFingerprintBytes
                                      ? sha256_hex(read_at(file.fd, 0, kFingerprintBytes))
                                      : "";
  const FilebeatEntry* best = nullptr;
  Match best_match = Match::kNo;
  for (const FilebeatEntry& entry : registry.entries) {
    const Match found = match(entry, file, fingerprint);
    if (found == Match::kNo || found < best_match) continue;
    // Of several inputs over one file, the one that is ahead counts.
    if (found == best_match && best != nullptr && entry.offset <= best->offset) continue;
    best = &entry;
    best_match = found;
  }
  if (best == nullptr && prints && file.size < kFingerprintBytes)
    return {0, "shorter than the 1024 bytes that Filebeat's fingerprint needs", true};
  if (best == nullptr) return {0, "not in Filebeat's registry", false};
  if (best->offset > file.size)
    return {0,
            fmt::format("Filebeat's registry is at {} of {} bytes: truncated, or another file of "
                        "the same inode",
                        best->offset, file.size),
            false};
  if (best->offset == file.size) return {file.size, "", false};
  if (has_no_newline(file, best->offset))
    return {best->offset, "its last line has no newline, and Filebeat ships none such", true};
  return {best->offset, "not acknowledged to Filebeat yet", false};
}

}  // namespace hive::logs
