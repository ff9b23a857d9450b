#include "controller/autoscale_store.h"

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "os/file.h"

namespace hive::controller {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".learned";

std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == kSuffix) out.push_back(at->path());
  return out;
}

}  // namespace

Result<fs::path> AutoscaleStore::file_of(const std::string& service_id) const {
  const bool plain = !service_id.empty() && service_id.size() <= 64 &&
                     std::all_of(service_id.begin(), service_id.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0; });
  if (!plain) return fail(Errc::kInvalidArgument, "'" + service_id + "' is no service id");
  return directory_ / (service_id + kSuffix);
}

// A line of JSON, then the bytes.
Status AutoscaleStore::save(const std::string& service_id, const Kept& kept) const {
  if (directory_.empty()) return {};
  HIVE_ASSIGN(const auto file, file_of(service_id));
  const std::string content =
      Json{{"lead_s", kept.lead_s}, {"bytes", kept.learned.size()}}.dump() + "\n" + kept.learned;
  if (content.size() > kMaxBytes)
    return fail(Errc::kResourceExhausted, "what was learned of a service is too large to be kept");
  HIVE_TRY(os::make_directories(directory_, 0700));
  std::error_code ignored;
  if (!fs::exists(file, ignored) && files_in(directory_).size() >= kMaxFiles)
    return fail(Errc::kResourceExhausted, "what was learned of more services is not kept");
  return os::write_file_atomically(file, content, 0600);
}

Result<AutoscaleStore::Kept> AutoscaleStore::load(const std::string& service_id) const {
  if (directory_.empty()) return fail(Errc::kNotFound, "nothing is kept");
  HIVE_ASSIGN(const auto file, file_of(service_id));
  HIVE_ASSIGN(const auto content, os::read_file(file, kMaxBytes));
  const auto line = content.find('\n');
  if (line == std::string::npos) return fail(Errc::kCorrupt, file.string() + " is cut short");
  HIVE_ASSIGN(const Json head, parse_json(content.substr(0, line), file.string()));
  Kept out;
  if (const Json* lead = json_member(head, "lead_s"); lead != nullptr && lead->is_array())
    for (const Json& one : *lead)
      if (one.is_number()) out.lead_s.push_back(one.get<double>());
  out.learned = content.substr(line + 1);
  if (static_cast<std::int64_t>(out.learned.size()) != json_int(head, "bytes", -1))
    return fail(Errc::kCorrupt, file.string() + " is cut short");
  return out;
}

void AutoscaleStore::keep_only(const std::set<std::string>& service_ids) const {
  if (directory_.empty()) return;
  for (const auto& file : files_in(directory_)) {
    std::error_code ignored;
    if (!service_ids.contains(file.stem().string())) fs::remove(file, ignored);
  }
}

}  // namespace hive::controller
