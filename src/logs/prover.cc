#include "logs/prover.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"

namespace hive::logs {
namespace {

constexpr Milliseconds kLeaveToNode{10'000};  // a Filebeat on the node, after a container's end
constexpr Milliseconds kQuietFor{2'000};  // then what Filebeat will never ship is collected instead

}  // namespace

Prover::Prover(ProverOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

void Prover::add(std::shared_ptr<ContainerLog> container,
                 std::vector<std::shared_ptr<SourceFile>> files) {
  const std::lock_guard lock(mutex_);
  added_.push_back({std::move(container), std::move(files)});
  woken_ = true;
  changed_.notify_all();
}

void Prover::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void Prover::wait(Milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return woken_; });
  woken_ = false;
}

void Prover::take_added() {
  std::vector<Shipped> added;
  {
    const std::lock_guard lock(mutex_);
    added.swap(added_);
  }
  for (Shipped& one : added) {
    Shipped& shipped = shipped_[one.container->container().id];
    if (shipped.container != one.container) shipped = Shipped{one.container};
    for (auto& file : one.files)
      if (std::find(shipped.files.begin(), shipped.files.end(), file) == shipped.files.end())
        shipped.files.push_back(std::move(file));
    shipped.looked = false;
  }
}

void Prover::turn() {
  take_added();
  const MonotonicTime now = clock_.now();
  for (auto at = shipped_.begin(); at != shipped_.end();) {
    Shipped& shipped = at->second;
    const ContainerLog& container = *shipped.container;
    const bool hurried = container.hurry || container.finishing;
    const Milliseconds every = hurried ? options_.hurried_every : options_.look_every;
    if (!shipped.looked || now >= shipped.looked_at + every) prove(shipped, now);
    at = container.finishing && shipped.files.empty() ? shipped_.erase(at) : std::next(at);
  }
}

void Prover::prove(Shipped& shipped, MonotonicTime now) {
  shipped.looked = true;
  shipped.looked_at = now;
  const WatchedContainer container = shipped.container->container();
  // The policy may have lost its Filebeat meanwhile: then all is collected.
  if (!container.policy.filebeat || shipped.container->spill) return spill(shipped);
  const model::FilebeatPlace& place = *container.policy.filebeat;
  auto root = place.on_node ? ContainerRoot::of_directory("/")
                            : ContainerRoot::of_process(container.pid, container.id);
  if (!root && !place.on_node && !container.upper_dir.empty())
    root = ContainerRoot::of_directory(container.upper_dir);
  const auto registry =
      root ? read_filebeat_registry(*root, place.registry) : tl::unexpected(root.error());
  const std::string doubt = doubt_of(shipped, container);
  for (const auto& file : shipped.files) prove_file(*file, registry, doubt, now);
  part_with(shipped, now);
  const bool gone = shipped.container->finishing &&
                    (!place.on_node || now - shipped.container->finish_at.load() > kLeaveToNode);
  if (gone) spill(shipped);
}

void Prover::prove_file(SourceFile& file, const Result<FilebeatRegistry>& registry,
                        const std::string& doubt, MonotonicTime now) {
  const auto fd = file.descriptor();
  struct stat status {};
  if (!fd || ::fstat(fd->get(), &status) != 0) return;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool grown = size != file.size;
  if (grown) file.changed_at = now;
  file.size = size;
  file.seen = size;
  file.modified_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
  file.doubted = !doubt.empty();
  file.set_why(doubt);
  file.looked_at = now;
  // What was acknowledged in full stays so, when Filebeat forgets a removed file.
  if (!grown && file.safe == size) return;
  if (!registry) {
    file.safe = std::min(file.safe.load(), size);
    return file.set_why(registry.error().message);
  }
  const AcknowledgedFile known = acknowledged(*registry, {file.path, file.id, size, fd->get()});
  file.never_shipped = known.never;
  file.safe = known.bytes;
  if (doubt.empty()) file.set_why(known.why);
}

// Files that need no more looking at, and those that Filebeat leaves to somebody else.
void Prover::part_with(Shipped& shipped, MonotonicTime now) {
  ContainerLog& container = *shipped.container;
  std::vector<Writer::Source> never;
  std::erase_if(shipped.files, [&](const auto& file) {
    const auto quiet = now - file->changed_at.load();
    if (file->never_shipped && container.hurry && quiet >= kQuietFor) {
      never.push_back({file, file->safe});
      return true;
    }
    if (file->seen != file->safe || file->doubted) return false;
    if (container.finishing) {
      container.close(file);
      return true;
    }
    if (quiet >= kIdleFor && !container.hurry && !file->parked) {
      file->parked = true;
      file->set_descriptor(os::UniqueFd());
    }
    return false;
  });
  if (!never.empty()) options_.on_spill(shipped.container, std::move(never));
}

// Why the registry's word is not enough, or empty.
std::string Prover::doubt_of(Shipped& shipped, const WatchedContainer& container) {
  const model::FilebeatPlace& place = *container.policy.filebeat;
  if (place.stats_url.empty()) return "";
  const auto body = options_.get_stats(place.stats_url, place.on_node ? 0 : container.pid);
  const auto stats = body ? parse_filebeat_stats(*body) : tl::unexpected(body.error());
  // Filebeat has ended, or its endpoint is off: the registry is what there is.
  if (!stats) return "";
  if (!shipped.dropped) shipped.dropped = stats->dropped;
  const std::uint64_t dropped = stats->dropped - std::min(*shipped.dropped, stats->dropped);
  if (dropped > 0 && !shipped.container->hurry) {
    const std::string reason =
        fmt::format("its output dropped {} events: the receiver refused them", dropped);
    log::warn(kComponent, "Filebeat of {}: {}", task_name(container), reason);
    if (options_.on_event)
      options_.on_event({"filebeat_dropped", "Filebeat of " + task_name(container), reason});
    shipped.dropped = stats->dropped;
    return "";
  }
  if (dropped > 0) return fmt::format("Filebeat's output dropped {} events", dropped);
  if (stats->active > 0 && !place.on_node)
    return fmt::format("{} events are in Filebeat's pipeline", stats->active);
  return "";
}

void Prover::spill(Shipped& shipped) {
  std::vector<Writer::Source> sources;
  for (auto& file : shipped.files) {
    file->doubted = false;
    file->set_why("");
    sources.push_back({file, file->safe});
  }
  shipped.files.clear();
  if (!sources.empty()) options_.on_spill(shipped.container, std::move(sources));
}

}  // namespace hive::logs
