#include "controller/controller.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/base64.h"
#include "base/log.h"
#include "controller/cloud_watch.h"

namespace hive::controller {
namespace {

constexpr int kLooksBetweenSelf = 10;
constexpr int kLooksBetweenSettings = 5;
constexpr std::size_t kMaxRemembered = 50'000;  // dying tasks

void drop_closed(std::vector<std::shared_ptr<net::EventStream>>& streams) {
  std::erase_if(streams, [](const auto& stream) { return !stream->open(); });
}

// An edge that has not said for this long what it serves may serve anything.
constexpr Milliseconds kEdgeFresh{3'000};

std::int64_t revision_of(const Json& config) {
  const Json* spec = json_member(config, "Spec");
  const Json* labels = spec == nullptr ? nullptr : json_member(*spec, "Labels");
  const Json* label = labels == nullptr ? nullptr : json_member(*labels, kRevisionLabel);
  if (label == nullptr || !label->is_string()) return 0;
  const auto& text = label->get_ref<const std::string&>();
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

Controller::Controller(engine::Engine& engine, const Clock& clock, store::History& history,
                       ControllerOptions options)
    : engine_(engine), clock_(clock), history_(history), options_(options) {
  // Rises over restarts too.
  table_.revision = static_cast<std::uint64_t>(unix_ms(clock.wall_now()));
}

Controller::~Controller() { stop(); }

void Controller::attach(Operations& operations) {
  operations_ = &operations;
  operations.on_news([this] {
    pass_on_wishes();
    kick();
  });
}

void Controller::start() {
  loop_thread_ = std::thread([this] { loop(); });
  events_thread_ = std::jthread([this](const std::stop_token& stop) {
    (void)engine_.events(
        {{"type", {"node", "service", "config", "container"}}},
        [this](const engine::Event& event) {
          // Health checks are execs: several a second on a busy node, and no news.
          if (!event.action.starts_with("exec_")) kick();
          return true;
        },
        stop);
  });
}

void Controller::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (events_thread_.joinable()) {
    events_thread_.request_stop();
    events_thread_.join();
  }
  if (loop_thread_.joinable()) loop_thread_.join();
}

void Controller::kick() {
  {
    std::lock_guard lock(mutex_);
    kicked_ = true;
  }
  wake_.notify_all();
}

void Controller::loop() {
  auto last_stats = clock_.now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    kicked_ = false;
    lock.unlock();
    const auto begun = clock_.now();
    (void)tick();
    if (clock_.now() - last_stats >= Milliseconds(950)) {
      publish_stats();
      last_stats = clock_.now();
    }
    const auto took = std::chrono::duration_cast<Milliseconds>(clock_.now() - begun);
    lock.lock();
    auto wait = until_multiple(clock_.wall_now() - options_.after_reports, options_.tick);
    if (operations_ != nullptr) wait = std::min(wait, operations_->look_again().value_or(wait));
    // However many events come, the engine gets as much rest as the look took.
    const auto rest = std::max(options_.coalesce, took);
    wake_.wait_for(lock, rest, [this] { return stopping_; });
    wake_.wait_for(lock, wait - std::min(wait, rest), [this] { return stopping_ || kicked_; });
  }
}

Result<Controller::Look> Controller::look() {
  Look out;
  out.snapshot.taken_at = clock_.now();
  if (--looks_until_self_ < 0 || self_node_id_.empty()) {
    HIVE_ASSIGN(const Json info, engine_.info());
    self_node_id_ = json_string(info, "Swarm.NodeID");
    cluster_id_ = json_string(info, "Swarm.Cluster.ID");
    looks_until_self_ = kLooksBetweenSelf;
  }
  out.snapshot.self_node_id = self_node_id_;
  out.snapshot.cluster_id = cluster_id_;
  HIVE_ASSIGN(auto nodes, engine_.list_nodes());
  HIVE_ASSIGN(auto services, engine_.list_services());
  HIVE_ASSIGN(auto tasks, engine_.list_tasks());
  for (auto& node : nodes) {
    if (node.id == self_node_id_) out.snapshot.self_is_leader = node.leader;
    out.snapshot.nodes.emplace(node.id, std::move(node));
  }
  for (auto& service : services) out.snapshot.services.emplace(service.id, std::move(service));
  for (auto& task : tasks) out.snapshot.tasks.emplace(task.id, std::move(task));
  if (--looks_until_settings_ < 0) {
    HIVE_ASSIGN(out.settings, read_settings());
    looks_until_settings_ = kLooksBetweenSettings;
  }
  if (operations_ != nullptr && out.snapshot.self_is_leader) {
    HIVE_ASSIGN(out.operations, operations_->read());
  }
  return out;
}

Result<ClusterSettings> Controller::read_settings() {
  HIVE_ASSIGN(const auto configs, engine_.list_configs({{"name", {kClusterConfig}}}));
  const Json* newest = nullptr;
  for (const Json& config : configs) {
    // The engine's name filter matches prefixes: "hive.cluster.7" is a revision of ours too.
    const std::string name = json_string(config, "Spec.Name");
    if (!name.starts_with(kClusterConfig)) continue;
    if (newest == nullptr || revision_of(config) > revision_of(*newest)) newest = &config;
  }
  if (newest == nullptr) return ClusterSettings{};
  HIVE_ASSIGN(const auto data, base64_decode(json_string(*newest, "Spec.Data")));
  HIVE_ASSIGN(const Json content, parse_json(data, kClusterConfig));
  return settings_from_json(content);
}

Status Controller::tick() {
  const auto begun = clock_.now();
  auto seen = look();
  if (seen) {
    auto world = take(*seen);
    if (watcher_) watcher_(world);
    step_operations(std::move(*seen), std::move(world));
  } else {
    lose(seen.error());
    if (operations_ != nullptr) operations_->rest();
  }
  std::lock_guard lock(mutex_);
  release_agents();
  ++counters_.ticks_total;
  counters_.last_tick = std::chrono::duration_cast<Milliseconds>(clock_.now() - begun);
  drop_closed(dashboards_);
  std::erase_if(agent_streams_, [](const auto& agent) { return !agent.stream->open(); });
  if (!seen) return tl::unexpected(seen.error());
  return {};
}

void Controller::step_operations(Look look, std::shared_ptr<const World> world) {
  if (operations_ == nullptr) return;
  if (world == nullptr) return operations_->rest();
  operations_->step(std::move(world), std::move(look.operations));
  pass_on_wishes();
}

// The world for operations, when this controller is the one that acts.
std::shared_ptr<const World> Controller::take(Look& look) {
  std::lock_guard lock(mutex_);
  if (look.settings) settings_ = std::move(*look.settings);
  const bool was_stale = stale_;
  const bool leads = look.snapshot.self_is_leader;
  tell(happenings(snapshot_, look.snapshot), leads);
  if (looked_ && was_stale)
    record("engine_back", "engine", "the engine answers again; the model is fresh");
  if (looked_ && snapshot_.self_is_leader != leads)
    record(leads ? "controller_active" : "controller_passive", "controller",
           leads ? "this manager became Swarm's leader" : "another manager leads Swarm now");
  if (leads && (!looked_ || !snapshot_.self_is_leader)) leads_since_ = clock_.now();
  complete_ports(look.snapshot);
  snapshot_ = std::move(look.snapshot);
  looked_ = true;
  stale_ = false;
  last_error_.clear();
  derive();
  Json delta = view_.update(snapshot_, healths(), unix_ms(clock_.wall_now()));
  if (!delta.empty() || was_stale) push_delta(std::move(delta));
  if (operations_ == nullptr || !leads) return nullptr;
  auto world = std::make_shared<World>();
  world->snapshot = snapshot_;
  world->settings = settings_;
  for (const auto& [node, state] : agents_) {
    world->reported_at.emplace(node, state.at);
    if (fresh(state)) world->reports.emplace(node, state.report);
  }
  if (cloud_) world->cloud = cloud_();
  world->stopped = stop_log_.tasks();
  world->now_unix_ms = unix_ms(clock_.wall_now());
  return world;
}

// The end of a task is told by its stop's record, where there is one: agents tell the leader alone.
void Controller::tell(std::vector<Happening>&& happenings, bool leads) {
  const auto now = clock_.now();
  for (auto& [event, ended_task] : happenings) {
    event.unix_ms = unix_ms(clock_.wall_now());
    if (ended_task.empty() || !leads) {
      history_.append(std::move(event));
      continue;
    }
    const auto task = snapshot_.tasks.find(ended_task);
    const auto agent =
        task == snapshot_.tasks.end() ? agents_.end() : agents_.find(task->second.node_id);
    const bool agent_there = agent != agents_.end() && fresh(agent->second);
    stop_log_.ended(ended_task, std::move(event), agent_there, now);
  }
  for (auto& event : stop_log_.due(now)) history_.append(std::move(event));
}

void Controller::take_stops(const agent::Report& report) {
  for (const auto& stop : report.stops) stop_log_.heard(stop, load_of(stop.task_id));
  for (const model::StopRecord& stop : order_book_.heard(report, clock_.now())) {
    record("task_stopped", task_name_of(stop.task_id),
           stop_sentence(stop, stop_log_.requests_finished(stop.task_id)));
    stop_log_.recorded(stop.task_id);
  }
}

TaskLoad Controller::load_of(const std::string& task_id) const {
  TaskLoad out;
  for (const auto& [node, state] : agents_)
    for (const auto& stats : state.report.stats)
      if (stats.task_id == task_id) {
        out.begun += stats.requests_total;
        out.in_flight += stats.in_flight;
      }
  return out;
}

void Controller::lose(const Error& error) {
  std::lock_guard lock(mutex_);
  ++counters_.tick_failures_total;
  if (!stale_ || last_error_.empty()) {
    log::warn(kControllerComponent, "looking at the engine: {}", describe(error));
    if (looked_)
      record("engine_lost", "engine",
             "the engine does not answer: " + error.message +
                 "; the last model is shown and nothing is acted on");
  }
  last_error_ = describe(error);
  stale_ = true;
  looks_until_self_ = 0;
  if (looked_) push_delta(Json::object());
}

// --- under the lock

void Controller::derive() {
  if (!looked_ || stale_) return;
  auto routing = route(snapshot_, settings_, unfit(), agents_sight());
  for (const auto& problem : routing.problems)
    if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end())
      record("routing_problem", "edges", problem);
  problems_ = std::move(routing.problems);
  // What edges serve is better than a table that lacks tasks which are there.
  if (!routing.unsure.empty() && clock_.now() - leads_since_ < options_.settle)
    return give_orders();
  routing.table.revision = table_.revision;
  routing.table.controller_node_id = snapshot_.self_node_id;
  if (routing.table != table_) {
    ++routing.table.revision;
    table_ = std::move(routing.table);
    ++counters_.tables_total;
    order_book_.published(table_, clock_.now());
    const auto frame =
        net::EventStream::make_frame(agent::kRoutingEvent, agent::encode_table(table_));
    for (const auto& agent : agent_streams_) agent.stream->push_frame(frame);
  }
  give_orders();
}

void Controller::give_orders() {
  if (!looked_ || stale_ || agent_streams_.empty()) return;
  const auto agents = sights();
  for (const auto& agent : agent_streams_)
    if (const auto orders = order_book_.due(agent.node_id, snapshot_, table_, agents, clock_.now()))
      agent.stream->push(agent::kOrdersEvent, agent::encode_orders(*orders));
}

std::map<std::string, AgentSight> Controller::sights() const {
  std::map<std::string, AgentSight> out;
  for (const auto& [node, state] : agents_)
    out[node] = {state.report, clock_.now() - state.at < kEdgeFresh};
  return out;
}

AgentsSight Controller::agents_sight() const {
  std::vector<HeardAgent> heard;
  for (const auto& [node, state] : agents_)
    heard.push_back({&state.report, fresh(state), clock_.now() - state.at < kEdgeFresh});
  return controller::agents_sight(snapshot_, heard);
}

// Agents follow Swarm's leader alone. A look that failed may be a hiccup: they stay a while.
void Controller::release_agents() {
  const auto now = clock_.now();
  if (leads()) {
    led_at_ = now;
    heard_agents_ = true;
  }
  const bool other_leads = looked_ && !stale_ && !snapshot_.self_is_leader;
  if (leads() || (!other_leads && now - led_at_ < options_.agents_kept)) return;
  for (const auto& agent : agent_streams_) agent.stream->close();
  agent_streams_.clear();
  // Pages go where the agents' figures are. One that comes to a passive controller may stay.
  if (!std::exchange(heard_agents_, false)) return;
  for (const auto& stream : dashboards_) stream->close();
  dashboards_.clear();
}

// A task's ports do not change while it runs, and Swarm forgets them when its leader changes.
void Controller::complete_ports(model::Snapshot& now) const {
  std::map<std::string_view, model::Task*> lacking;
  for (auto& [id, task] : now.tasks) {
    if (!task.ports.empty() || task.state != model::TaskState::kRunning) continue;
    if (const auto old = snapshot_.tasks.find(id); old != snapshot_.tasks.end())
      task.ports = old->second.ports;
    if (task.ports.empty()) lacking.emplace(id, &task);
  }
  if (lacking.empty()) return;
  for (const auto& [node, state] : agents_)
    for (const auto& container : state.report.containers)
      if (const auto found = lacking.find(container.task_id); found != lacking.end())
        found->second->ports = container.ports;
}

bool Controller::fresh(const AgentState& state) const {
  return clock_.now() - state.at < options_.report_fresh;
}

Unfit Controller::unfit() {
  Unfit out;
  const auto now = clock_.now();
  std::erase_if(dying_until_, [now](const auto& entry) { return entry.second <= now; });
  for (const auto& [task, until] : dying_until_) out[task] = "its container was told to stop";
  for (const auto& [node, state] : agents_) {
    if (!fresh(state)) continue;
    for (const auto& task : state.report.leaving) out[task] = kLeaving;
    for (const auto& container : state.report.containers) {
      if (container.health == "unhealthy") out[container.task_id] = "its health check fails";
      if (container.state == "exited" || container.state == "dead" ||
          container.state == "removing" || container.state == "paused")
        out[container.task_id] = "its container is " + container.state;
    }
  }
  return out;
}

Healths Controller::healths() const {
  Healths out;
  for (const auto& [node, state] : agents_) {
    if (!fresh(state)) continue;
    for (const auto& container : state.report.containers)
      if (!container.health.empty()) out[container.task_id] = container.health;
  }
  return out;
}

void Controller::record(std::string kind, std::string subject, std::string reason) {
  history_.append(
      {0, unix_ms(clock_.wall_now()), std::move(kind), std::move(subject), std::move(reason)});
}

Json Controller::balancer() const {
  return balancer_json(cloud_ ? cloud_() : std::optional<CloudLook>());
}

Json Controller::header() const {
  return {
      {"cluster", settings_.name.empty() ? snapshot_.cluster_id : settings_.name},
      {"revision", view_revision_},
      {"stale", stale_},
      {"age_ms",
       looked_ ? std::chrono::duration_cast<Milliseconds>(clock_.now() - snapshot_.taken_at).count()
               : 0}};
}

void Controller::push_delta(Json delta) {
  ++view_revision_;
  if (dashboards_.empty()) return;
  delta.update(header());
  const auto frame = net::EventStream::make_frame("delta", delta.dump());
  for (const auto& stream : dashboards_) stream->push_frame(frame);
}

// --- agents and dashboards

void Controller::report(const agent::Report& report) {
  bool news = false;
  {
    std::lock_guard lock(mutex_);
    ++counters_.reports_total;
    auto& state = agents_[report.node_id];
    news = state.report.containers != report.containers || !report.events.empty() ||
           state.report.leaving != report.leaving || state.report.stops != report.stops;
    const bool told = state.report.revision_applied != report.revision_applied;
    for (const agent::Note& note : report.notes) record(note.kind, note.subject, note.reason);
    take_stops(report);
    if (state.report.edge != report.edge && !(state.report.edge.empty() && report.edge == "ok")) {
      const auto node = snapshot_.nodes.find(report.node_id);
      record(report.edge == "ok" ? "edge_back" : "edge_trouble",
             node == snapshot_.nodes.end() ? report.node_id : node->second.hostname,
             report.edge == "ok" ? "its edge serves again" : report.edge);
    }
    state.report = report;
    state.at = clock_.now();
    for (const auto& event : report.events) {
      const bool ends = event.action == "die" || event.action == "kill" || event.action == "stop";
      if (ends && dying_until_.size() < kMaxRemembered)
        dying_until_[event.task_id] = clock_.now() + options_.dying;
    }
    // At once, from what is known: a dying task must not wait for the next look.
    if (news) {
      complete_ports(snapshot_);
      derive();
    } else if (told)
      give_orders();
  }
  if (news) kick();
}

void Controller::publish_stats() {
  std::lock_guard lock(mutex_);
  StatsByTask sums;
  for (const auto& [node, state] : agents_) {
    if (!fresh(state)) continue;
    for (const auto& stats : state.report.stats) {
      auto& sum = sums[stats.task_id];
      sum.task_id = stats.task_id;
      sum.requests_total += stats.requests_total;
      sum.errors_5xx_total += stats.errors_5xx_total;
      sum.connection_errors_total += stats.connection_errors_total;
      sum.bytes_in_total += stats.bytes_in_total;
      sum.bytes_out_total += stats.bytes_out_total;
      sum.in_flight += stats.in_flight;
      sum.queued += stats.queued;
      sum.rate += stats.rate;
      sum.response_time_ms = std::max(sum.response_time_ms, stats.response_time_ms);
    }
  }
  Json changes = view_.update_stats(sums);
  if (!changes.empty()) push_delta({{"stats", std::move(changes)}});
}

void Controller::add_dashboard(std::shared_ptr<net::EventStream> stream) {
  std::lock_guard lock(mutex_);
  Json snapshot = view_.whole();
  snapshot.update(header());
  if (stream->push("snapshot", snapshot.dump())) dashboards_.push_back(std::move(stream));
}

void Controller::pass_on_wishes() {
  std::vector<agent::StopOrder> stops;
  for (auto& stop : operations_->stops())
    stops.push_back(
        {stop.task_id, stop.task_id, std::move(stop.by), std::move(stop.reason), stop.force});
  auto awaiting = operations_->awaiting_replacement();
  auto pulls = pull_orders();
  std::lock_guard lock(mutex_);
  order_book_.want(std::move(stops), std::move(awaiting));
  order_book_.want_pulls(std::move(pulls));
  give_orders();
}

// An image whose login is on its way is ordered a moment later.
std::map<std::string, std::vector<agent::PullOrder>> Controller::pull_orders() const {
  std::map<std::string, std::vector<agent::PullOrder>> out;
  for (const auto& [node, images] : operations_->pulls())
    for (const auto& image : images)
      if (const auto login = logins_ ? logins_(image) : engine::RegistryAuth{}; login)
        out[node].push_back(
            {image, login->server_address, login->username, os::Secret(login->password)});
  return out;
}

void Controller::hold_floors(std::map<std::string, std::uint64_t> floors) {
  std::lock_guard lock(mutex_);
  order_book_.want_floors(std::move(floors));
  give_orders();
}

void Controller::add_agent(const std::string& node_id, std::shared_ptr<net::EventStream> stream) {
  std::lock_guard lock(mutex_);
  // It reports from now on: what it says may be needed for the first table.
  stream->push(agent::kWelcomeEvent, "{}");
  if (counters_.tables_total > 0) stream->push(agent::kRoutingEvent, agent::encode_table(table_));
  agent_streams_.push_back({node_id, std::move(stream)});
  order_book_.forget(node_id);
  give_orders();
}

std::string Controller::task_name_of(const std::string& task_id) const {
  const auto found = snapshot_.tasks.find(task_id);
  return found == snapshot_.tasks.end() ? task_id : task_name(snapshot_, found->second);
}

// --- reading

Json Controller::status() const {
  std::lock_guard lock(mutex_);
  Json out = header();
  out["node_id"] = snapshot_.self_node_id;
  out["leader"] = snapshot_.self_is_leader;
  out["active"] = leads();
  out["error"] = last_error_;
  out["nodes"] = snapshot_.nodes.size();
  out["services"] = snapshot_.services.size();
  out["tasks"] = snapshot_.tasks.size();
  out["problems"] = problems_;
  out["routing_revision"] = table_.revision;
  out["history_durable"] = history_.durable();
  Json agents = Json::object();
  for (const auto& [node, state] : agents_)
    agents[node] = {
        {"age_ms", std::chrono::duration_cast<Milliseconds>(clock_.now() - state.at).count()},
        {"revision_applied", state.report.revision_applied},
        {"edge", state.report.edge},
        {"engine_init", state.report.engine_init}};
  out["agents"] = std::move(agents);
  return out;
}

Json Controller::whole() const {
  std::lock_guard lock(mutex_);
  Json out = view_.whole();
  out.update(header());
  return out;
}

Json Controller::part(const char* name) const {
  std::lock_guard lock(mutex_);
  Json out = Json::array();
  for (auto& [id, value] : view_.whole()[name].items()) out.push_back(value);
  return out;
}

Json Controller::stops() const {
  std::lock_guard lock(mutex_);
  return stop_log_.as_json();
}

model::RoutingTable Controller::table() const {
  std::lock_guard lock(mutex_);
  return table_;
}

bool Controller::acts() const {
  std::lock_guard lock(mutex_);
  return leads();
}

std::optional<LeaderPlace> Controller::leader() const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, node] : snapshot_.nodes)
    if (node.leader) return LeaderPlace{id, node.hostname, reachable_address(node)};
  return std::nullopt;
}

std::string Controller::self_hostname() const {
  std::lock_guard lock(mutex_);
  const auto self = snapshot_.nodes.find(snapshot_.self_node_id);
  return self == snapshot_.nodes.end() ? std::string() : self->second.hostname;
}

bool Controller::knows_node(const std::string& id) const {
  std::lock_guard lock(mutex_);
  return !looked_ || snapshot_.nodes.contains(id);
}

Milliseconds Controller::age() const {
  std::lock_guard lock(mutex_);
  if (!looked_) return Milliseconds(0);
  return std::chrono::duration_cast<Milliseconds>(clock_.now() - snapshot_.taken_at);
}

ControllerCounters Controller::counters() const {
  std::lock_guard lock(mutex_);
  auto out = counters_;
  const auto count = [](const auto& list, auto open) {
    return static_cast<std::size_t>(std::count_if(list.begin(), list.end(), open));
  };
  out.agents = count(agent_streams_, [](const auto& agent) { return agent.stream->open(); });
  out.dashboards = count(dashboards_, [](const auto& stream) { return stream->open(); });
  return out;
}

}  // namespace hive::controller
