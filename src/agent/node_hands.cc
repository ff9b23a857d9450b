#include "agent/node_hands.h"

#include <signal.h>
#include <string.h>

#include <charconv>
#include <utility>

#include "agent/door.h"
#include "agent/sockets.h"
#include "base/log.h"

namespace hive::agent {
namespace {

using decide::drain::CommandView;
using decide::drain::InitState;

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMaxQueue = 1'000;
constexpr Milliseconds kCommandLook{50};    // at a command that runs
constexpr Milliseconds kReleaseGrace{500};  // for what still runs beside an ended application

InitState state_of(init::State state) {
  switch (state) {
    case init::State::kHeld:
      return InitState::kHeld;
    case init::State::kClaimed:
      return InitState::kClaimed;
    case init::State::kStopping:
      return InitState::kStopping;
    case init::State::kFlushing:
      return InitState::kFlushing;
    case init::State::kIdle:
    case init::State::kArmed:
      break;
  }
  return InitState::kUnheld;
}

// "SIGTERM", "TERM" or "15", as images name their stop signal; 0 = none that is known.
int signal_number(std::string_view name) {
  int number = 0;
  if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc())
    return number;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const auto& real_time : {std::pair{"RTMIN", SIGRTMIN}, std::pair{"RTMAX", SIGRTMAX}}) {
    if (!name.starts_with(real_time.first)) continue;
    const std::string_view offset = name.substr(5);
    int by = 0;
    std::from_chars(offset.data() + (offset.starts_with("+") ? 1 : 0),
                    offset.data() + offset.size(), by);
    return real_time.second + by;
  }
  for (int candidate = 1; candidate < 32; ++candidate) {
    const char* known = ::sigabbrev_np(candidate);
    if (known != nullptr && name == known) return candidate;
  }
  return 0;
}

}  // namespace

NodeHands::NodeHands(engine::Engine& engine, logs::Collector* collector, const Clock& clock)
    : engine_(engine), collector_(collector), clock_(clock) {
  for (std::size_t i = 0; i < kThreads; ++i)
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

NodeHands::~NodeHands() {
  for (auto& thread : threads_) thread.request_stop();
  wake_.notify_all();
}

void NodeHands::in_background(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMaxQueue)
      return log::error("agent", "too much is asked of the engine at once; one thing is left out");
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void NodeHands::work(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
    const Work next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    next(stop);
  }
}

// --- hive-init

Result<const init::Init*> NodeHands::init_of(const ContainerInfo& container) {
  const auto found = inits_.find(container.id);
  if (found != inits_.end() && found->second.pid() == container.pid) return &found->second;
  HIVE_ASSIGN(auto opened, init::Init::open(container.pid));
  return &inits_.insert_or_assign(container.id, std::move(opened)).first->second;
}

InitSight NodeHands::init(const ContainerInfo& container) {
  InitSight sight;
  const auto init = init_of(container);
  if (!init && init.error().code == Errc::kNotFound) {
    sight.state = InitState::kGone;
    sight.description = "gone";
    return sight;
  }
  if (!init) {
    const auto program = init::identify(container.pid);
    sight.description = program ? program->name : init.error().message;
    return sight;
  }
  sight.ours = true;
  const auto state = (*init)->state();
  if (!state) {
    sight.state = state.error().code == Errc::kNotFound ? InitState::kGone : InitState::kUnheld;
    sight.description = sight.state == InitState::kGone ? "gone" : "starting";
    return sight;
  }
  sight.description = init::to_string(*state);
  sight.armed = *state != init::State::kIdle;
  sight.state = state_of(*state);
  return sight;
}

Status NodeHands::arm(const ContainerInfo& container) {
  HIVE_ASSIGN(const auto* init, init_of(container));
  return init->arm(signal_number(container.stop_signal));
}

Status NodeHands::claim(const ContainerInfo& container, Milliseconds lasts) {
  HIVE_ASSIGN(const auto* init, init_of(container));
  return init->claim(lasts);
}

Status NodeHands::tell(const ContainerInfo& container, bool by_command) {
  HIVE_ASSIGN(const auto* init, init_of(container));
  return by_command ? init->stop_without_signal() : init->stop();
}

Status NodeHands::release(const ContainerInfo& container) {
  HIVE_ASSIGN(const auto* init, init_of(container));
  return init->release(kReleaseGrace);
}

// --- sockets and processes

Result<SocketSight> NodeHands::sockets(const ContainerInfo& container) {
  return look_at_sockets(container.pid, container.ports);
}

Status NodeHands::close_door(const ContainerInfo& container) {
  return agent::close_door(container.pid, container.ports);
}

Status NodeHands::kill_application(const ContainerInfo& container) {
  HIVE_ASSIGN(const auto* init, init_of(container));
  return init->stop(SIGKILL);
}

// --- by the engine

void NodeHands::stop_container(const ContainerInfo& container, bool held, Milliseconds grace) {
  in_background([this, container, held, grace](const std::stop_token&) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(grace).count();
    const Status done = held ? engine_.kill_container(container.id, container.stop_signal)
                             : engine_.stop_container(container.id, static_cast<int>(seconds));
    if (!done && done.error().code != Errc::kNotFound)
      log::warn("agent", "stopping {}: {}", container.task_name, describe(done.error()));
  });
}

CommandView NodeHands::command(const ContainerInfo& container, HookKind kind,
                               const std::vector<std::string>& words) {
  const CommandKey key{container.id, kind};
  {
    const std::lock_guard lock(mutex_);
    const auto [found, fresh] = commands_.try_emplace(key);
    if (!fresh) return found->second;
    found->second.state = CommandView::State::kRunning;
  }
  in_background([this, key, words](const std::stop_token& stop) { run_command(key, words, stop); });
  return {CommandView::State::kRunning, 0, ""};
}

void NodeHands::run_command(const CommandKey& key, const std::vector<std::string>& words,
                            const std::stop_token& stop) {
  const auto exec = engine_.start_exec(key.first, words);
  if (!exec) return set(key, {CommandView::State::kFailed, 0, exec.error().message});
  while (!stop.stop_requested()) {
    const auto state = engine_.inspect_exec(*exec);
    if (!state) return set(key, {CommandView::State::kFailed, 0, state.error().message});
    if (!state->running) {
      // Docker's own codes for a program that could not be run.
      const bool not_run = state->exit_code == 126 || state->exit_code == 127;
      if (not_run)
        return set(key, {CommandView::State::kFailed, 0,
                         "\"" + words.front() + "\" is not there or cannot be run"});
      return set(key, {CommandView::State::kEnded, state->exit_code, ""});
    }
    std::this_thread::sleep_for(kCommandLook);
  }
}

void NodeHands::set(const CommandKey& key, CommandView view) {
  const std::lock_guard lock(mutex_);
  const auto found = commands_.find(key);
  if (found != commands_.end()) found->second = std::move(view);
}

void NodeHands::forget(const ContainerInfo& container) {
  if (collector_ != nullptr) collector_->finish(container.id);
  inits_.erase(container.id);
  writers_gone_.erase(container.id);
  const std::lock_guard lock(mutex_);
  commands_.erase({container.id, HookKind::kPreStop});
  commands_.erase({container.id, HookKind::kStopCommand});
}

// --- logs

void NodeHands::watch_logs(const ContainerInfo& container, const model::LogPolicy& policy,
                           const std::string& node_name, std::int64_t slot) {
  if (collector_ == nullptr) return;
  collector_->watch({.id = container.id,
                     .task_id = container.task_id,
                     .service = container.service_name,
                     .node = node_name,
                     .slot = slot,
                     .pid = container.pid,
                     .json_log = container.log_path,
                     .upper_dir = container.upper_dir,
                     .policy = policy});
}

LogSight NodeHands::logs(const ContainerInfo& container, bool ended) {
  if (collector_ == nullptr) return {};
  const logs::Delivery delivery = collector_->delivery(container.id);
  LogSight sight{delivery.watched, false, delivery.bytes_safe, delivery.bytes_missing()};
  if (!ended) return sight;
  const auto [gone, fresh] = writers_gone_.try_emplace(container.id, clock_.now());
  if (fresh) collector_->hurry(container.id);
  sight.safe = delivery.proven(gone->second);
  return sight;
}

}  // namespace hive::agent
