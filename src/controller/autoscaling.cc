#include "controller/autoscaling.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "config/autoscale_policy.h"
#include "controller/autoscale_kind.h"
#include "controller/drain_part.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"
#include "model/autoscale.h"

namespace hive::controller {
namespace {

using decide::autoscale::Autoscaler;

constexpr const char* kAutoscalingComponent = "autoscaling";

std::int64_t whole_seconds(MonotonicTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

int phase_of(const std::string& service) {
  return static_cast<int>(std::hash<std::string>{}(service) % 60);
}

// Swarm's updater is at work, or waits for a person.
bool in_rollout(const model::Service& service, const OperationRecord* holder) {
  return updating(service) || service.update_state == "paused" ||
         service.update_state == "rollback_paused" ||
         (holder != nullptr && holder->kind == "rollout");
}

bool autoscalers(const OperationRecord* operation) {
  return operation != nullptr && json_bool(operation->request, "autoscaler");
}

// The scale-in of its replicas.
bool ours(const OperationRecord* operation) {
  return autoscalers(operation) && operation->kind == "scale";
}

// The node that is emptied since the replicas did not need it: they go first.
bool gives_way(const OperationRecord* operation) {
  return autoscalers(operation) && operation->kind == "instance_terminate";
}

}  // namespace

Autoscaling::Autoscaling(Outside outside, Operations& operations, const Clock& clock,
                         store::History& history, Executor& executor, AutoscalingOptions options)
    : outside_(std::move(outside)),
      operations_(operations),
      clock_(clock),
      history_(history),
      executor_(executor),
      options_(std::move(options)),
      store_(options_.directory) {}

std::int64_t Autoscaling::unix_ms() const {
  return std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch()).count();
}

void Autoscaling::note(const char* kind, const std::string& subject, const std::string& reason) {
  history_.append({0, unix_ms(), kind, subject, reason});
}

void Autoscaling::step(const World& world, std::optional<double> instance_lead_s) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  // Looks begin soon after whole seconds of the wall clock: those are told apart, and what passed
  // between two of them is counted by the monotonic one.
  const auto whole = now - Milliseconds(unix_ms() % 1'000);
  const auto passed = last_whole_
                          ? std::chrono::round<std::chrono::seconds>(whole - *last_whole_).count()
                          : whole_seconds(whole);
  if (passed < 1) return;
  last_whole_ = whole;
  second_ += passed;
  if (!acts_since_) acts_since_ = now;
  std::set<std::string> scaled;
  const bool complete = take_up(world, scaled);
  std::erase_if(entries_, [&](const auto& entry) {
    return !scaled.contains(entry.first) && !entry.second.busy;
  });
  const SignalBook book(world, now, scaled, now - *acts_since_ >= options_.settle);
  const auto holders = operations_.holders();
  const auto released = operations_.released();
  std::optional<decide::placement::Room> room;
  if (instance_lead_s) room.emplace(world.snapshot);
  const Sight sight{world,
                    book,
                    holders,
                    released,
                    now,
                    second_,
                    room ? &*room : nullptr,
                    instance_lead_s.value_or(0)};
  asked_.clear();
  asked_balancer_.clear();
  for (const auto& id : scaled) step_one(entries_.at(id), world.snapshot.services.at(id), sight);
  if (metrics_ != nullptr) metrics_->ask(asked_);
  if (balancer_ != nullptr) balancer_->ask(asked_balancer_);
  if (complete) keep_learned(now);
}

decide::fleet::Wants Autoscaling::wants() const {
  const std::lock_guard lock(mutex_);
  decide::fleet::Wants out;
  for (const auto& [id, entry] : entries_) {
    if (!entry.rule || entry.dry_run || entry.view.paused || entry.decided_unix_ms == 0) continue;
    out.emplace(id, std::max(entry.decision.replicas, entry.promised));
  }
  return out;
}

void Autoscaling::rest() {
  save();
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.busy; });
  for (auto& [id, entry] : entries_) entry.rule.reset();
  acts_since_.reset();
  if (metrics_ != nullptr) metrics_->ask({});
  if (balancer_ != nullptr) balancer_->ask({});
}

// --- policies and what was learned

bool Autoscaling::take_up(const World& world, std::set<std::string>& scaled) {
  int left = options_.taken_up_a_step;
  for (const auto& [id, service] : world.snapshot.services) {
    const auto label = service.labels.find(kHiveLabel);
    if (service.global || label == service.labels.end() || service.labels.contains(kCanaryOfLabel))
      continue;
    const auto known = entries_.find(id);
    const bool has_rule = known != entries_.end() && known->second.rule != nullptr;
    const bool current = has_rule && known->second.label == label->second;
    if (!current && left > 0) {
      const bool was_read = policies_.knows(label->second);
      const auto policies = policies_.of(service);
      if (policies.autoscale || !was_read) --left;
      if (!policies.autoscale) continue;
      take_up(service, *policies.autoscale);
    } else if (!has_rule) {
      continue;
    }
    scaled.insert(id);
  }
  return left > 0;
}

void Autoscaling::take_up(const model::Service& service, const config::Autoscale& said) {
  Entry& entry = entries_[service.id];
  entry.id = service.id;
  entry.name = service.name;
  entry.label = service.labels.at(kHiveLabel);
  const bool known = entry.rule != nullptr;
  const std::string learned = known ? entry.rule->save() : std::string();
  read_policy(entry, service, said);
  if (!known) {
    entry.new_here = true;
    entry.served.clear();
    entry.expected.reset();
    entry.saved_at = clock_.now();
    restore(entry);
  } else if (const auto taken = entry.rule->restore(learned); !taken) {
    log::warn(kAutoscalingComponent, "{}: {}", service.name, describe(taken.error()));
  }
}

void Autoscaling::read_policy(Entry& entry, const model::Service& service,
                              const config::Autoscale& said) {
  entry.policy = config::autoscale_policy(said);
  entry.metrics = said.target.metrics;
  entry.dry_run = said.dry_run;
  entry.zones = ScheduleZones(entry.policy, options_.zoneinfo);
  for (const auto& trouble : entry.zones.troubles())
    log::warn(kAutoscalingComponent, "{}: {}", service.name, trouble);
  entry.rule = std::make_unique<Autoscaler>(entry.policy, entry.lead.seconds(), phase_of(entry.id));
  entry.real = service.replicas;
  entry.would = static_cast<int>(service.replicas);
}

void Autoscaling::restore(Entry& entry) const {
  const auto kept = store_.load(entry.id);
  if (!kept) {
    if (kept.error().code != Errc::kNotFound)
      log::warn(kAutoscalingComponent, "{}: {}", entry.name, describe(kept.error()));
    return;
  }
  for (const double seconds : kept->lead_s) entry.lead.saw(seconds);
  entry.rule = std::make_unique<Autoscaler>(entry.policy, entry.lead.seconds(), phase_of(entry.id));
  if (const auto taken = entry.rule->restore(kept->learned); !taken)
    log::warn(kAutoscalingComponent, "{} begins anew: {}", entry.name, describe(taken.error()));
}

std::vector<std::pair<std::string, AutoscaleStore::Kept>> Autoscaling::learned() const {
  std::vector<std::pair<std::string, AutoscaleStore::Kept>> out;
  for (const auto& [id, entry] : entries_)
    if (entry.rule) out.push_back({id, {entry.lead.kept(), entry.rule->save()}});
  return out;
}

void Autoscaling::save() {
  std::vector<std::pair<std::string, AutoscaleStore::Kept>> all;
  {
    const std::lock_guard lock(mutex_);
    all = learned();
  }
  for (const auto& [id, kept] : all)
    if (const auto saved = store_.save(id, kept); !saved)
      return log::warn(kAutoscalingComponent, "what was learned is not kept: {}",
                       describe(saved.error()));
}

// One service at a time, so that neither a step nor the disk has much to do at once.
void Autoscaling::keep_learned(MonotonicTime now) {
  if (saving_ || options_.directory.empty()) return;
  for (auto& [id, entry] : entries_) {
    if (!entry.rule || now - entry.saved_at < options_.save_every) continue;
    entry.saved_at = now;
    saving_ = true;
    std::set<std::string> all;
    for (const auto& [other, ignored] : entries_) all.insert(other);
    executor_.submit([this, id = id, all = std::move(all),
                      kept = AutoscaleStore::Kept{entry.lead.kept(), entry.rule->save()}] {
      if (const auto saved = store_.save(id, kept); !saved)
        log::warn(kAutoscalingComponent, "what was learned is not kept: {}",
                  describe(saved.error()));
      store_.keep_only(all);
      const std::lock_guard lock(mutex_);
      saving_ = false;
    });
    return;
  }
}

// --- one service

void Autoscaling::step_one(Entry& entry, const model::Service& service, const Sight& sight) {
  const auto held = sight.holders.find(service_claim(service.id));
  const OperationRecord* holder = held == sight.holders.end() ? nullptr : &held->second;
  const auto paused = service.labels.find(model::kAutoscalePausedLabel);
  entry.paused = paused == service.labels.end() ? std::string() : paused->second;
  entry.signals = sight.book.of(service);
  learn_lead(entry, sight.world);
  // A dry run goes out from the number that there is.
  if (std::exchange(entry.real, service.replicas) != service.replicas)
    entry.would = static_cast<int>(service.replicas);
  entry.view = view_of(entry, service, sight, holder);
  read_metrics(entry, sight.world, entry.view);
  if (noticed_hand(entry, service, sight, holder != nullptr)) entry.view.paused = true;
  entry.decision = entry.rule->decide(entry.view);
  entry.decided_unix_ms = unix_ms();
  entry.decided_at = clock_.now();
  entry.signals.serving.clear();  // they point into the look
  if (entry.dry_run) return imagine(entry);
  if (!entry.busy) act(entry, service, sight, holder);
}

// While a figure that the policy asks for is not known of every task, nothing is taken away.
void Autoscaling::read_metrics(Entry& entry, const World& world, decide::autoscale::View& view) {
  view.metrics.clear();
  entry.metric_troubles.clear();
  for (const auto& metric : entry.metrics) {
    const auto told = read_metric(metric, entry, world);
    view.partial = view.partial || !told.whole;
    view.metrics.push_back(told.signal);
    entry.metric_troubles.push_back(told.trouble);
  }
}

MetricSignal Autoscaling::read_metric(const config::AutoscaleMetric& metric, const Entry& entry,
                                      const World& world) {
  if (!metric.cloudwatch.empty()) {
    if (const auto figure = figure_of(metric.cloudwatch)) asked_balancer_.insert(*figure);
    return balancer_signal(balancer_, metric.cloudwatch, clock_.now());
  }
  const auto sources = metric_sources(metric, entry.signals.serving, world.snapshot);
  asked_.insert(asked_.end(), sources.begin(), sources.end());
  return metric_signal(metrics_, sources, metric.query.empty() ? entry.signals.serving.size() : 1,
                       clock_.now());
}

// A replica counts from its task's creation, and once; of those that were there before this
// controller acted, Swarm's own times are all that is known.
void Autoscaling::learn_lead(Entry& entry, const World& world) {
  for (const model::Task* task : entry.signals.serving) {
    if (!entry.served.insert(task->id).second || task->created_unix_ms <= 0) continue;
    if (entry.new_here && entry.lead.measured()) continue;
    const auto until = entry.new_here ? task->state_since_unix_ms : world.now_unix_ms;
    entry.lead.saw(static_cast<double>(until - task->created_unix_ms) / kMsPerSecond);
  }
  std::erase_if(entry.served,
                [&](const std::string& id) { return !world.snapshot.tasks.contains(id); });
  entry.new_here = false;
}

decide::autoscale::View Autoscaling::view_of(Entry& entry, const model::Service& service,
                                             const Sight& sight,
                                             const OperationRecord* holder) const {
  const ServiceSignals& signals = entry.signals;
  decide::autoscale::View out;
  out.second = sight.second;
  out.unix_s = unix_ms() / 1'000;
  out.requests = signals.requests;
  out.in_flight = signals.in_flight;
  out.cpu = signals.cpu;
  out.memory = signals.memory;
  out.latency_s = signals.latency_s;
  out.partial = signals.partial;
  out.lead_s = entry.lead.seconds();
  // The next replica waits for a node first.
  if (sight.room != nullptr && !sight.room->has_place(service)) out.lead_s += sight.instance_lead_s;
  out.zone_offsets = entry.zones.offsets_at(out.unix_s);
  entry.there = written(entry, service, sight, holder);
  if (!entry.paused.empty() || entry.promised <= entry.there) entry.promised = 0;
  const int ordered = std::max(entry.there, entry.promised);
  out.ready = static_cast<int>(signals.serving.size());
  out.starting = std::max(0, ordered - out.ready);
  out.ordered = ordered;
  out.paused = !entry.paused.empty();
  out.rolling_out = in_rollout(service, holder);
  if (holder != nullptr && !ours(holder) && !gives_way(holder))
    out.held_by = holder->kind + " of " + holder->subject + " (operation " + holder->id +
                  ") is under way: the number holds until it is over";
  return out;
}

// Replicas that are ordered of Swarm, or will not leave.
int Autoscaling::written(const Entry& entry, const model::Service& service, const Sight& sight,
                         const OperationRecord* holder) const {
  const int there = static_cast<int>(service.replicas);
  if (entry.dry_run) return entry.would;
  if (entry.busy || sight.world.snapshot.taken_at <= entry.settled_at) return entry.ordered;
  if (ours(holder) && !holder->cancelled)
    return static_cast<int>(json_int(holder->request, "replicas", there));
  if (gives_way(holder)) return static_cast<int>(replicas_before_surge(holder->state, service));
  return there;
}

// True when somebody else than hive wrote the number: docker's own command, say. The scale-in, the
// surges and the rollouts of hive hold the service meanwhile. One of them may have ended since
// the last look, which is all that a new leader sees of it; this look may be from before its end,
// and the next one shows what it wrote.
bool Autoscaling::noticed_hand(Entry& entry, const model::Service& service, const Sight& sight,
                               bool held) {
  if (entry.busy || sight.world.snapshot.taken_at <= entry.settled_at) return false;
  const int there = static_cast<int>(service.replicas);
  const auto before = std::exchange(entry.expected, there);
  const auto looked_at = std::exchange(entry.looked_at, sight.now);
  if (const auto end = sight.released.find(service_claim(service.id)); end != sight.released.end())
    held = held || end->second >= looked_at;
  const bool others = std::exchange(entry.held_before, held) || held;
  if (!before || *before == there || others || !entry.paused.empty() || entry.dry_run) return false;
  // A deploy brings a number into the file's bounds.
  if (there == std::clamp(*before, entry.policy.min, std::max(entry.policy.min, entry.policy.max)))
    return false;
  pause(entry, service,
        "its replicas were set from " + std::to_string(*before) + " to " + std::to_string(there) +
            ", not by hive");
  return true;
}

void Autoscaling::act(Entry& entry, const model::Service& service, const Sight& sight,
                      const OperationRecord* holder) {
  const int wanted = entry.decision.replicas;
  const int there = entry.there;
  // What was promised is kept, but nothing is written while the number is held.
  if (entry.decision.held && wanted == std::max(there, entry.promised)) return;
  if (wanted <= there) entry.promised = 0;
  if (wanted == there) return;
  if (wanted < there) {
    if (holder == nullptr) shrink(entry, service, wanted);
  } else if (ours(holder) || gives_way(holder)) {
    if (!holder->cancelled) call_off(entry, *holder);
  } else if (holder == nullptr) {
    grow(entry, service, sight, wanted);
  }
}

// Dry run: the number goes on from what it would be by now.
void Autoscaling::imagine(Entry& entry) {
  const int wanted = entry.decision.replicas;
  if (wanted == entry.would) return;
  note("autoscale_dry_run", entry.name, "it would: " + entry.decision.reason);
  entry.would = wanted;
}

// --- what is done

// `done` runs after the job has succeeded, under the lock.
void Autoscaling::begin(Entry& entry, int ordered, std::function<Status()> job,
                        std::function<void()> done) {
  entry.busy = true;
  entry.ordered = ordered;
  executor_.submit(
      [this, id = entry.id, was = entry.there, job = std::move(job), done = std::move(done)] {
        const auto result = job();
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(id);
        if (found == entries_.end()) return;
        Entry& now = found->second;
        now.busy = false;
        now.settled_at = clock_.now();
        if (result) {
          now.trouble.clear();
          return done();
        }
        now.ordered = was;
        // Somebody else was quicker: the next look shows what there is.
        if (result.error().code == Errc::kConflict) return;
        now.trouble = result.error().message;
        log::warn(kAutoscalingComponent, "{}: {}", now.name, describe(result.error()));
      });
}

// As many as nodes have room for; where workers follow, the rest is written as they join.
void Autoscaling::grow(Entry& entry, const model::Service& service, const Sight& sight, int to) {
  const int more = to - entry.there;
  const int fit = sight.room == nullptr ? more : sight.room->place(service, more);
  const bool kept = entry.promised >= to;  // it was told already
  entry.promised = fit < more ? to : 0;
  if (fit == 0) {
    if (!kept)
      note("autoscale_out", entry.name,
           entry.decision.reason + " (" + std::to_string(more) + " wait for room on the nodes)");
    return;
  }
  std::string reason = entry.decision.reason;
  if (kept)
    reason = std::to_string(entry.there) + " -> " + std::to_string(entry.there + fit) +
             ": a node has room for what waited";
  if (fit < more) reason += " (" + std::to_string(more - fit) + " more wait for room on the nodes)";
  write(entry, service, entry.there + fit, reason);
}

void Autoscaling::write(Entry& entry, const model::Service& service, int to,
                        const std::string& reason) {
  auto action = scale_action(service, static_cast<std::uint64_t>(to), reason);
  begin(
      entry, to, [this, run = action.run] { return run(outside_); },
      [this, id = entry.id, to, reason] {
        Entry& now = entries_.at(id);
        now.expected = to;
        ++now.scaled_out;
        note("autoscale_out", now.name, reason);
      });
}

void Autoscaling::shrink(Entry& entry, const model::Service& service, int to) {
  const OperationRequest request{.id = "",
                                 .kind = "scale",
                                 .by = kAutoscalerName,
                                 .request = {{"service", service.id},
                                             {"replicas", to},
                                             {"autoscaler", true},
                                             {"reason", entry.decision.reason}}};
  begin(
      entry, to,
      [this, request]() -> Status {
        HIVE_TRY(operations_.create(request));
        return {};
      },
      [this, id = entry.id, reason = entry.decision.reason] {
        Entry& now = entries_.at(id);
        ++now.scaled_in;
        note("autoscale_in", now.name, reason);
      });
}

// The load is back before the scale-in is over: those not gone yet stay.
void Autoscaling::call_off(Entry& entry, const OperationRecord& operation) {
  begin(
      entry, entry.there,
      [this, id = operation.id]() -> Status {
        HIVE_TRY(operations_.cancel(id));
        return {};
      },
      [this, name = entry.name, reason = entry.decision.reason] {
        note("autoscale_in_called_off", name, reason);
      });
}

void Autoscaling::pause(Entry& entry, const model::Service& service, const std::string& why) {
  auto action = autoscale_pause_action(service, why);
  begin(
      entry, static_cast<int>(service.replicas),
      [this, run = std::move(action.run)] { return run(outside_); },
      [this, name = entry.name, why] {
        note("autoscale_paused", name,
             why + "; `hive autoscale resume " + name + "` gives it back to the policy");
      });
}

// --- the API

Json Autoscaling::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<const Entry*> entries;
  for (const auto& [id, entry] : entries_)
    if (entry.decided_unix_ms > 0) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->name < b->name; });
  Json out = Json::array();
  for (const Entry* entry : entries) out.push_back(entry_json(*entry));
  return out;
}

Result<Json> Autoscaling::get(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const Entry* found = nullptr;
  for (const auto& [id, entry] : entries_) {
    if (entry.decided_unix_ms == 0) continue;
    if (id == service || entry.name == service) return entry_json(entry);
    if (!entry.name.ends_with("_" + service)) continue;
    if (found != nullptr)
      return fail(Errc::kInvalidArgument, "'" + service + "' may be " + found->name + " or " +
                                              entry.name + "; name it whole");
    found = &entry;
  }
  if (found == nullptr)
    return fail(Errc::kNotFound, "no service '" + service + "' is autoscaled (x-hive.autoscale)");
  return entry_json(*found);
}

}  // namespace hive::controller
