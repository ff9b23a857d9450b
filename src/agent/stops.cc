#include "agent/stops.h"

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "os/file.h"

namespace hive::agent {
namespace {

using decide::drain::Door;
using decide::drain::InitState;
using decide::drain::StopProgress;
using decide::drain::StopSequence;
using decide::drain::StopView;
using decide::drain::StopWish;
using model::StopStep;

constexpr const char* kComponent = "stops";
constexpr Milliseconds kRestLook{1'000};      // at a container at rest
constexpr Milliseconds kKeepRecord{600'000};  // without a controller that takes it
constexpr std::size_t kMaxEnded = 500;
constexpr const char* kBySwarm = "swarm";    // a scale, an update, a drain that hive did not order
constexpr const char* kByDocker = "docker";  // a person's `docker stop`

std::int64_t unix_ms(WallTime time) {
  return std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count();
}

void warn_unless(const Status& status, const ContainerInfo& info, const char* what) {
  if (!status && status.error().code != Errc::kNotFound)
    log::warn(kComponent, "{}: {}: {}", info.task_name, what, describe(status.error()));
}

}  // namespace

Stops::Stops(StopsOptions options, StopHands& hands, const Clock& clock)
    : options_(std::move(options)), hands_(hands), clock_(clock) {
  if (options_.directory.empty()) return;
  if (const auto made = os::make_directories(options_.directory, 0700); !made)
    log::warn(kComponent, "progress is not kept: {}", describe(made.error()));
}

// --- what is known

void Stops::containers(const std::vector<ContainerInfo>& running) {
  std::set<std::string> seen;
  for (const ContainerInfo& info : running) {
    seen.insert(info.id);
    auto [found, fresh] = containers_.try_emplace(info.id);
    Container& container = found->second;
    const bool restarted = !fresh && container.info.pid != info.pid;
    if (restarted) container = Container{};
    container.info = info;
  }
  for (auto& [id, container] : containers_)
    if (!seen.contains(id)) container.running = false;
}

void Stops::killed(const std::string& container_id) {
  const auto found = containers_.find(container_id);
  if (found != containers_.end()) found->second.look_at = MonotonicTime{};
}

void Stops::orders(NodeOrders orders) {
  for (const std::string& container_id : orders.recorded) {
    const auto found = containers_.find(container_id);
    if (found != containers_.end() && found->second.stop && found->second.stop->sequence.done())
      finish(found->second);
  }
  orders_ = std::move(orders);
  link_up_ = true;
  orders_at_ = clock_.now();
}

void Stops::stop_all(const std::string& by, const std::string& reason, MonotonicTime until) {
  StopOrder order;
  order.by = by;
  order.reason = reason;
  of_all_ = std::move(order);
  all_until_ = until;
}

bool Stops::controller_answers(MonotonicTime since) const {
  return link_up_ && clock_.now() - std::max(orders_at_, since) <= options_.controller_fresh;
}

bool Stops::controller_answers(const Container& container) const {
  return controller_answers(container.stop == nullptr ? clock_.now() : container.stop->begun);
}

bool Stops::controller_knows(const Container& container) const {
  return controller_answers(container) && std::find(orders_.known.begin(), orders_.known.end(),
                                                    container.info.id) != orders_.known.end();
}

const TaskOrders* Stops::task_of(const Container& container) const {
  const auto found = orders_.tasks.find(container.info.task_id);
  return found == orders_.tasks.end() ? nullptr : &found->second;
}

const ServiceOrders* Stops::service_of(const Container& container) const {
  const auto found = orders_.services.find(container.info.service_id);
  return found == orders_.services.end() ? nullptr : &found->second;
}

const StopOrder* Stops::order_of(const Container& container) const {
  for (const StopOrder& order : orders_.stops)
    if (order.task_id == container.info.task_id) return &order;
  return of_all_ ? &*of_all_ : nullptr;
}

model::StopPolicy Stops::policy_of(const Container& container) const {
  const ServiceOrders* service = service_of(container);
  return service == nullptr ? model::StopPolicy{} : service->stop;
}

// Swarm and hive give the service's grace period; a person's `docker stop` has Docker's 10 s. What
// no controller has told is taken for Swarm's, which it nearly always is.
MonotonicTime Stops::kill_time(const Container& container, MonotonicTime started) const {
  const ServiceOrders* service = service_of(container);
  const bool by_person = container.stop != nullptr && container.stop->record.by == kByDocker;
  const bool short_grace = by_person || service == nullptr;
  const MonotonicTime kill =
      started + (short_grace ? options_.docker_grace : Milliseconds(service->grace_ms));
  return of_all_ ? std::min(kill, all_until_) : kill;
}

// Who stops it: the controller's order says it, or whether Swarm still wants it to run.
void Stops::ask_who(const Container& container, model::StopRecord& record) const {
  if (const StopOrder* order = order_of(container)) {
    record.order_id = order->id;
    record.by = order->by;
    record.reason = order->reason;
    return;
  }
  const TaskOrders* task = task_of(container);
  if (!record.by.empty() || task == nullptr || !controller_knows(container)) return;
  // Swarm's agent stops what its engine calls unhealthy, with the service's own grace period, and
  // leaves the task wanted.
  const bool unhealthy = container.info.unhealthy && task->desired_running;
  if (unhealthy) record.reason = "its health check fails";
  const bool by_person = task->desired_running && !container.ordered && !unhealthy;
  record.by = by_person ? kByDocker : kBySwarm;
}

// --- each turn

void Stops::turn(const std::set<std::string>& edge_out) {
  leaving_.clear();
  for (auto& [id, container] : containers_) {
    const bool due =
        container.stop != nullptr || !container.running || clock_.now() >= container.look_at;
    if (due) look(container);
    obey(container);
    if (container.stop != nullptr && !container.stop->sequence.done())
      advance(container, edge_out.contains(container.info.task_id));
  }
  std::size_t ended = 0;
  for (auto at = containers_.begin(); at != containers_.end();) {
    Container& container = at->second;
    const bool gone = !container.running || container.init.state == InitState::kGone;
    const bool recorded =
        container.stop == nullptr ||
        (container.stop->sequence.done() && clock_.now() - container.stop->ended > kKeepRecord);
    if (gone && !recorded) ++ended;
    if (!gone || (!recorded && ended <= kMaxEnded)) {
      ++at;
      continue;
    }
    finish(container);
    hands_.forget(container.info);
    at = containers_.erase(at);
  }
}

void Stops::look(Container& container) {
  container.look_at = clock_.now() + kRestLook;
  const InitSight before = container.init;
  container.init = hands_.init(container.info);
  // At the first look the runtime may still be about to start it.
  if (container.looks == 1 && !container.init.ours && container.running)
    log::warn(kComponent, "{}: its first process is {}, not hive-init: its stops are not held",
              container.info.task_name, container.init.description);
  ++container.looks;
  if (container.init.ours && !container.init.armed && container.stop == nullptr &&
      container.init.state == InitState::kUnheld) {
    // Some stop signals cannot be held: said once, not at every look.
    const Status armed = hands_.arm(container.info);
    if (container.looks <= 2) warn_unless(armed, container.info, "its stops are not held");
    container.init = hands_.init(container.info);
  }
  const InitState state = container.init.state;
  const bool held = state == InitState::kHeld || state == InitState::kClaimed ||
                    state == InitState::kStopping || state == InitState::kFlushing;
  if (held && container.stop == nullptr) begin(container);
  const ServiceOrders* service = service_of(container);
  if (!container.logs_watched && service != nullptr && state != InitState::kGone) {
    const TaskOrders* task = task_of(container);
    hands_.watch_logs(container.info, service->logs, orders_.node_name,
                      task == nullptr ? 0 : task->slot);
    container.logs_watched = true;
  }
}

void Stops::obey(Container& container) {
  const StopOrder* order = order_of(container);
  if (order == nullptr || !container.running) return;
  if (container.stop != nullptr) return;
  if (container.ordered || (!link_up_ && !of_all_)) return;
  const ServiceOrders* service = service_of(container);
  const Milliseconds grace(service == nullptr ? options_.docker_grace.count() : service->grace_ms);
  log::info(kComponent, "{}: stopping it for {} ({})", container.info.task_name, order->by,
            order->reason);
  container.ordered = true;
  const bool held = container.init.ours && container.init.armed;
  hands_.stop_container(container.info, held, grace);
}

void Stops::begin(Container& container) {
  const MonotonicTime now = clock_.now();
  auto stop = std::make_unique<Stop>(
      Stop{StopSequence(policy_of(container), now, kill_time(container, now)), {}, now, now, {}});
  stop->record.task_id = container.info.task_id;
  stop->record.service_id = container.info.service_id;
  stop->record.container_id = container.info.id;
  stop->record.started_unix_ms = unix_ms(clock_.wall_now());
  const auto sockets = hands_.sockets(container.info);
  if (sockets) stop->record.connections_at_start = sockets->connections;
  restore(container, *stop);
  container.stop = std::move(stop);
  ++changes_;
  log::info(kComponent, "{}: its stop is held", container.info.task_name);
}

StopView Stops::view_of(Container& container, bool edge_out) {
  const Stop& stop = *container.stop;
  StopView view;
  view.now = clock_.now();
  view.init = container.running ? container.init.state : InitState::kGone;
  const StopOrder* order = order_of(container);
  view.force = order != nullptr && order->force;
  if (const TaskOrders* task = task_of(container); controller_knows(container)) {
    view.await_replacement = task != nullptr && task->await_replacement;
    if (task != nullptr) view.routed = task->routed;
    if (task != nullptr) view.edges_behind = task->edges_behind;
  } else if (controller_answers(container)) {
    view.await_replacement = view.routed = true;  // until it has looked
  }
  view.own_edge_out = edge_out;
  view.door =
      stop.door_closed ? Door::kClosed : (stop.door_fails ? Door::kCannotClose : Door::kOpen);
  if (const auto sockets = hands_.sockets(container.info)) {
    view.connections = sockets->connections;
    view.listens = sockets->listens;
  }
  const model::StopPolicy policy = policy_of(container);
  const StopStep step = stop.sequence.step();
  if (step == StopStep::kHooks && !policy.pre_stop.empty())
    view.pre_stop = hands_.command(container.info, HookKind::kPreStop, policy.pre_stop);
  if (step == StopStep::kStopping && !policy.stop_command.empty())
    view.stop_command = hands_.command(container.info, HookKind::kStopCommand, policy.stop_command);
  const LogSight logs = hands_.logs(container.info, step == StopStep::kFlushing);
  view.logs_watched = logs.watched;
  view.logs_safe = logs.safe;
  view.log_bytes_safe = logs.bytes_safe;
  view.log_bytes_missing = logs.bytes_missing;
  return view;
}

void Stops::advance(Container& container, bool edge_out) {
  Stop& stop = *container.stop;
  ask_who(container, stop.record);
  stop.sequence.set_kill_time(kill_time(container, stop.started));
  const StopStep before = stop.sequence.step();
  const StopView view = view_of(container, edge_out);
  const StopWish wish = stop.sequence.turn(view);
  act(container, wish);
  const StopProgress& progress = stop.sequence.progress();
  model::StopRecord& record = stop.record;
  record.step = progress.step;
  record.took_ms = progress.took_ms;
  record.given_up = progress.given_up;
  if (view.logs_watched) {
    record.bytes_missing = view.log_bytes_missing;
    record.bytes_delivered = view.log_bytes_safe;
  }
  if (wish.drain_edge) leaving_.insert(container.info.task_id);
  if (progress.step == before) return;
  ++changes_;
  if (stop.sequence.done()) {
    stop.ended = clock_.now();
    record.ended_unix_ms = unix_ms(clock_.wall_now());
    std::string cut;
    for (const auto& sentence : record.given_up) cut += "; " + sentence;
    log::info(kComponent, "{}: stopped after {} ms{}", container.info.task_name,
              record.ended_unix_ms - record.started_unix_ms, cut);
  }
  keep(container);
}

void Stops::act(Container& container, const StopWish& wish) {
  Stop& stop = *container.stop;
  const ContainerInfo& info = container.info;
  if (wish.claim) warn_unless(hands_.claim(info, wish.claim_for), info, "claiming its stop");
  if (wish.close_door && !stop.door_closed && !stop.door_fails) {
    const Status closed = hands_.close_door(info);
    stop.door_closed = closed.has_value();
    stop.door_fails = !closed && closed.error().code != Errc::kNotFound;
    warn_unless(closed, info, "refusing new connections");
  }
  const bool claimed = container.init.state == InitState::kClaimed;
  const bool stopping = container.init.state == InitState::kStopping;
  // A stop_command that failed is followed by the signal. After an agent's restart it may be told
  // twice: hive-init sends a signal once.
  const bool by_signal = !wish.tell_by_command;
  if (wish.tell_application && (claimed || (stopping && by_signal && !stop.signalled))) {
    const Status told = hands_.tell(info, wish.tell_by_command);
    stop.signalled = told.has_value() && by_signal;
    warn_unless(told, info, "telling the application to stop");
  }
  if (wish.kill_application && stopping)
    warn_unless(hands_.kill_application(info), info, "killing the application");
  if (wish.release) warn_unless(hands_.release(info), info, "releasing it");
}

// --- over the agent's own end

void Stops::keep(const Container& container) const {
  if (options_.directory.empty()) return;
  const Stop& stop = *container.stop;
  const model::StopRecord& record = stop.record;
  const auto ago =
      std::chrono::duration_cast<Milliseconds>(clock_.now() - stop.sequence.progress().entered);
  const Json json{{"step", model::to_string(record.step)},
                  {"entered_unix_ms", unix_ms(clock_.wall_now() - ago)},
                  {"started_unix_ms", record.started_unix_ms},
                  {"connections_at_start", record.connections_at_start},
                  {"took_ms", record.took_ms},
                  {"given_up", record.given_up},
                  {"order_id", record.order_id},
                  {"by", record.by},
                  {"reason", record.reason}};
  const auto kept =
      os::write_file_atomically(options_.directory + "/" + record.container_id + ".json",
                                json.dump(-1, ' ', false, Json::error_handler_t::replace), 0600);
  if (!kept) log::warn(kComponent, "progress is not kept: {}", describe(kept.error()));
}

void Stops::restore(Container& container, Stop& stop) {
  if (options_.directory.empty()) return;
  const std::string path = options_.directory + "/" + container.info.id + ".json";
  const auto text = os::read_file(path, 1U << 20);
  if (!text) return;
  const auto json = parse_json(*text, path);
  if (!json) return log::warn(kComponent, "{} is not used: {}", path, json.error().message);
  const std::int64_t wall = unix_ms(clock_.wall_now());
  const auto at = [&](const char* member) {
    const std::int64_t ago = wall - json_int(*json, member, wall);
    return clock_.now() - Milliseconds(std::clamp<std::int64_t>(ago, 0, 86'400'000));
  };
  StopProgress progress;
  progress.step = model::stop_step_from(json_string(*json, "step"));
  // The container is there, so its stop is not done.
  if (progress.step == StopStep::kDone) progress.step = StopStep::kFlushing;
  progress.entered = at("entered_unix_ms");
  if (const Json* took = json_member(*json, "took_ms"); took != nullptr && took->is_array())
    for (std::size_t i = 0; i < std::min(took->size(), progress.took_ms.size()); ++i)
      if ((*took)[i].is_number_integer()) progress.took_ms[i] = (*took)[i].get<std::int64_t>();
  if (const Json* given = json_member(*json, "given_up"); given != nullptr && given->is_array())
    for (const Json& sentence : *given)
      if (sentence.is_string()) progress.given_up.push_back(sentence.get<std::string>());
  stop.record.started_unix_ms = json_int(*json, "started_unix_ms", wall);
  stop.record.connections_at_start = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(json_int(*json, "connections_at_start"), 0, 1'000'000));
  stop.record.order_id = json_string(*json, "order_id");
  stop.record.by = json_string(*json, "by");
  stop.record.reason = json_string(*json, "reason");
  stop.started = at("started_unix_ms");
  stop.sequence =
      StopSequence(policy_of(container), stop.started, kill_time(container, stop.started));
  stop.sequence.resume(std::move(progress));
  log::info(kComponent, "{}: goes on with its stop where the last agent was ({})",
            container.info.task_name, model::to_string(stop.sequence.step()));
}

void Stops::finish(Container& container) {
  if (container.stop == nullptr) return;
  if (!options_.directory.empty()) {
    std::error_code ignored;
    std::filesystem::remove(options_.directory + "/" + container.info.id + ".json", ignored);
  }
  container.stop.reset();
}

// --- what others want to know

std::vector<model::StopRecord> Stops::records() const {
  std::vector<model::StopRecord> out;
  for (const auto& [id, container] : containers_)
    if (container.stop != nullptr && out.size() < kMaxReportStops)
      out.push_back(container.stop->record);
  return out;
}

std::string Stops::init_of(const std::string& container_id) const {
  const auto found = containers_.find(container_id);
  return found == containers_.end() || found->second.looks == 0 ? ""
                                                                : found->second.init.description;
}

bool Stops::holds(const std::string& container_id) const {
  const auto found = containers_.find(container_id);
  return found != containers_.end() && found->second.init.ours;
}

std::size_t Stops::running() const {
  return static_cast<std::size_t>(
      std::count_if(containers_.begin(), containers_.end(), [](const auto& entry) {
        return entry.second.running && entry.second.init.state != InitState::kGone;
      }));
}

bool Stops::active() const {
  return std::any_of(containers_.begin(), containers_.end(), [](const auto& entry) {
    return entry.second.stop != nullptr && !entry.second.stop->sequence.done();
  });
}

}  // namespace hive::agent
