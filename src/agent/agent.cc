#include "agent/agent.h"

#include <algorithm>

#include "base/log.h"
#include "os/file.h"

namespace hive::agent {
namespace {

// At whole seconds of the wall clock, as all agents: the controller looks soon after.
constexpr Milliseconds kReportEvery{1'000};
constexpr Milliseconds kApplyEvery{1'000};  // the table is applied again: what was lost is repaired

}  // namespace

bool is_leaving(std::string_view action) {
  return action == "die" || action == "health_status: unhealthy";
}

bool asks_to_stop(std::string_view action) {
  // HUP and the two user signals ask an application to reload or to speak, not to stop.
  return action.rfind("kill", 0) == 0 && action != "kill 1" && action != "kill 10" &&
         action != "kill 12";
}

Agent::Agent(Options options, edge::Edge& edge, Stops& stops, Mailbox& mailbox, const Clock& clock)
    : options_(std::move(options)),
      edge_(edge),
      stops_(stops),
      mailbox_(mailbox),
      clock_(clock),
      usage_(options_.cgroup_root) {}

void Agent::restore() {
  const auto text = os::read_file(options_.table_file);
  if (!text) return;
  auto table = decode_table(*text);
  if (!table) {
    log::warn("agent", "the kept table is not used: {}", table.error().message);
    return;
  }
  log::info("agent", "serves the kept table, revision {}", table->revision);
  take_table(std::move(*table));
}

void Agent::note(const Status& status, std::string_view what) {
  std::string fault = status ? "" : std::string(what) + ": " + describe(status.error());
  // A part that is not served stops nothing else: the table counts as applied.
  for (const std::string& part : edge_.faults()) fault += (fault.empty() ? "" : "; ") + part;
  if (fault != edge_fault_ && !fault.empty()) log::error("agent", "{}", fault);
  edge_fault_ = fault;
}

void Agent::take_table(model::RoutingTable table) {
  const bool changed = !have_table_ || !(table == table_);
  table_ = std::move(table);
  have_table_ = true;
  apply();
  if (!changed || options_.table_file.empty()) return;
  const auto kept = os::write_file_atomically(options_.table_file, encode_table(table_), 0600);
  if (!kept) log::warn("agent", "the table is not kept: {}", kept.error().message);
}

// Without the tasks that are being stopped here: that needs no controller.
void Agent::apply() {
  model::RoutingTable table = table_;
  const std::set<std::string>& leaving = stops_.leaving();
  if (!leaving.empty())
    for (model::Backend& backend : table.backends)
      std::erase_if(backend.endpoints, [&](const model::Endpoint& endpoint) {
        return leaving.contains(endpoint.task_id);
      });
  const Status status = edge_.apply(table);
  note(status, "routing table");
  applied_ = status.has_value();
  if (applied_) left_out_ = leaving;
  next_apply_ = clock_.now() + kApplyEvery;
}

void Agent::take_event(const ContainerEvent& event) {
  const bool stops = asks_to_stop(event.action);
  if (stops && stops_.holds(event.container_id)) {
    stops_.killed(event.container_id);
  } else if (stops || is_leaving(event.action)) {
    note(edge_.drain(event.task_id), "drain");
  } else if (event.action == "health_status: healthy") {
    note(edge_.readmit(event.task_id), "readmit");
  }
  events_.push_back(event);
}

void Agent::depart(Milliseconds within) {
  if (departure_) return;
  log::info("agent", "the machine shuts down: this node leaves within {} ms", within.count());
  departure_.emplace(clock_.now(), within);
  departs_since_ = clock_.now();
  gone_at_ = departs_since_ + within;
  next_report_ = MonotonicTime{};
}

void Agent::go_on_departing() {
  if (!departure_ || departure_->done()) return;
  decide::drain::DepartureView view;
  view.now = clock_.now();
  view.containers = stops_.running();
  view.controller_answers = stops_.controller_answers(departs_since_);
  view.schedulable = stops_.schedulable();
  if (const auto stats = have_table_ ? edge_.stats() : model::EdgeStats{}) {
    for (const model::EndpointStats& one : stats->endpoints) view.in_flight += one.in_flight;
    for (const model::BackendStats& one : stats->backends) view.in_flight += one.queued;
  }
  view.unrecorded = stops_.records().size();
  const decide::drain::DepartureWish wish = departure_->turn(view);
  if (wish.leave_balancer && !left_balancer_) {
    const Status left = edge_.set_leaving(true);
    note(left, "leaving the balancer");
    left_balancer_ = left.has_value();
  }
  if (wish.stop_all)
    stops_.stop_all("shutdown", "the node's machine shuts down", wish.stopped_until);
  if (!departure_->done()) return;
  for (const std::string& sentence : departure_->given_up())
    notes_.push_back({"node_shutdown_cut_short", options_.node_id, sentence});
  for (const std::string& sentence : departure_->given_up()) log::warn("agent", "{}", sentence);
  report();
}

void Agent::turn(Milliseconds wait) {
  Mail mail = mailbox_.take(wait);
  // Events first: a drain is never behind a table.
  for (const ContainerEvent& event : mail.events) take_event(event);
  for (Note& note : mail.notes)
    if (notes_.size() < kMaxReportNotes) notes_.push_back(std::move(note));
  if (mail.engine_init) engine_init_ = std::move(*mail.engine_init);
  if (mail.containers) containers_ = std::move(*mail.containers);
  if (mail.running) {
    stops_.containers(*mail.running);
    usage_.containers(*mail.running);
  }
  if (mail.orders) {
    // Logins go no further than they must.
    const auto pulls = std::exchange(mail.orders->pulls, {});
    if (options_.pulls != nullptr) options_.pulls->want(pulls);
    stops_.orders(std::move(*mail.orders));
  }
  if (mail.controller_lost) stops_.controller_lost();
  stops_.turn(left_out_);
  go_on_departing();
  if (mail.table)
    take_table(std::move(*mail.table));
  else if (have_table_ &&
           (mail.probe_answered || clock_.now() >= next_apply_ || stops_.leaving() != left_out_))
    apply();
  if (const Status status = edge_.keep_alive(); !status) note(status, "HAProxy");
  if (!mail.events.empty() || !mail.notes.empty() || clock_.now() >= next_report_ || news())
    report();
}

// What a controller waits for: a table applied, a step of a stop.
bool Agent::news() const {
  return (applied_ && table_.revision != reported_revision_) || stops_.changes() != reported_stops_;
}

void Agent::report() {
  next_report_ = clock_.now() + until_multiple(clock_.wall_now(), kReportEvery);
  Report report;
  report.node_id = options_.node_id;
  if (applied_) {
    report.revision_applied = table_.revision;
    report.controller_node_id = table_.controller_node_id;
  }
  report.edge = edge_fault_.empty() ? "ok" : edge_fault_;
  if (have_table_) {
    auto stats = edge_.stats();
    if (stats) {
      report.stats = std::move(stats->endpoints);
      report.backends = std::move(stats->backends);
    } else if (edge_fault_.empty())
      report.edge = "statistics: " + describe(stats.error());
  }
  report.usage = usage_.sample(clock_.now());
  report.engine_init = engine_init_;
  report.not_ready = edge_.not_ready();
  report.containers = containers_;
  for (ContainerReport& container : report.containers)
    container.init = stops_.init_of(container.container_id);
  report.notes = std::exchange(notes_, {});
  report.pulls_images = options_.pulls != nullptr;
  if (options_.pulls != nullptr) report.pulls = options_.pulls->reports();
  report.leaving.assign(stops_.leaving().begin(), stops_.leaving().end());
  report.stops = stops_.records();
  if (departure_)
    report.departs_in_ms = std::max<std::int64_t>(
        1, std::chrono::duration_cast<Milliseconds>(gone_at_ - clock_.now()).count());
  reported_revision_ = report.revision_applied;
  reported_stops_ = stops_.changes();
  report.events = std::exchange(events_, {});
  if (options_.send) options_.send(std::move(report));
}

}  // namespace hive::agent
