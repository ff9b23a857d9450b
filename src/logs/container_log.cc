#include "logs/container_log.h"

#include <fmt/core.h>

#include <algorithm>

namespace hive::logs {
namespace {

constexpr std::size_t kMaxUndelivered = 100;

std::string safe_name(std::string_view text) {
  std::string name(text);
  for (char& c : name)
    if (c == '/' || c == '\0') c = '_';
  if (name.empty() || name.front() == '.') name.insert(name.begin(), '_');
  return name;
}

}  // namespace

std::string SourceFile::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}
void SourceFile::set_head(std::string bytes) {
  const std::lock_guard lock(mutex_);
  head_ = std::move(bytes);
}
std::string SourceFile::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}
void SourceFile::set_why(std::string sentence) {
  const std::lock_guard lock(mutex_);
  why_ = std::move(sentence);
}
std::shared_ptr<const os::UniqueFd> SourceFile::descriptor() const {
  const std::lock_guard lock(mutex_);
  return fd_;
}
void SourceFile::set_descriptor(os::UniqueFd fd) {
  auto shared = fd ? std::make_shared<const os::UniqueFd>(std::move(fd)) : nullptr;
  const std::lock_guard lock(mutex_);
  fd_.swap(shared);
}

WatchedContainer ContainerLog::container() const {
  const std::lock_guard lock(mutex_);
  return container_;
}
void ContainerLog::set_container(WatchedContainer container) {
  const std::lock_guard lock(mutex_);
  container_ = std::move(container);
}
std::vector<std::shared_ptr<SourceFile>> ContainerLog::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}
void ContainerLog::add(std::shared_ptr<SourceFile> file) {
  const std::lock_guard lock(mutex_);
  files_.push_back(std::move(file));
}
void ContainerLog::close(const std::shared_ptr<SourceFile>& file) {
  const std::lock_guard lock(mutex_);
  if (std::erase(files_, file) == 0) return;
  closed_bytes_ += file->safe;
  closed_at_ = std::max(closed_at_, file->changed_at.load());
}
void ContainerLog::set_copy(FileId id) {
  const std::lock_guard lock(mutex_);
  copies_.insert(id);
}
bool ContainerLog::is_copy(FileId id) const {
  const std::lock_guard lock(mutex_);
  return copies_.count(id) > 0;
}
void ContainerLog::set_fault(std::string fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

Delivery ContainerLog::delivery() const {
  const std::lock_guard lock(mutex_);
  Delivery out{.watched = true, .bytes_seen = closed_bytes_, .bytes_safe = closed_bytes_};
  out.looked_at = finished ? MonotonicTime::max() : found_at.load();
  out.stable_since = std::max(closed_at_, appeared_at.load());
  if (!fault_.empty()) out.undelivered.push_back({"", 0, fault_});
  for (const auto& file : files_) {
    // Read before `seen`, which may grow meanwhile: never more safe than seen.
    const std::uint64_t safe = file->safe;
    const std::uint64_t seen = std::max(file->seen.load(), safe);
    out.bytes_seen += seen;
    out.bytes_safe += safe;
    out.looked_at = std::min(out.looked_at, file->looked_at.load());
    out.stable_since = std::max(out.stable_since, file->changed_at.load());
    if (seen == safe && !file->doubted) continue;
    std::string why = file->why();
    out.undelivered.push_back(
        {file->kind == SourceKind::kJsonFile ? "stdout/stderr" : file->path, seen - safe,
         why.empty() ? "not written to its destination yet" : std::move(why)});
  }
  std::stable_sort(out.undelivered.begin(), out.undelivered.end(),
                   [](const Undelivered& a, const Undelivered& b) { return a.bytes > b.bytes; });
  if (out.undelivered.size() > kMaxUndelivered) out.undelivered.resize(kMaxUndelivered);
  return out;
}

std::string task_directory(const WatchedContainer& container) {
  const std::string slot = container.slot == 0 ? "global" : std::to_string(container.slot);
  return fmt::format("{}/{}.{}.{}", safe_name(container.service), safe_name(container.node), slot,
                     safe_name(container.task_id.empty() ? container.id : container.task_id));
}

std::string task_name(const WatchedContainer& container) {
  const std::string slot = container.slot == 0 ? "global" : std::to_string(container.slot);
  return fmt::format("{}.{} (task {})", container.service, slot, container.task_id);
}

}  // namespace hive::logs
