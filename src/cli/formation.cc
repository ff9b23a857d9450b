#include "cli/formation.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>

#include "cli/join_step.h"
#include "cli/parallel.h"

namespace hive::cli {
namespace {

constexpr Milliseconds kEngineDeadline{60'000};
constexpr Milliseconds kJoinDeadline{60'000};
constexpr Milliseconds kEnginesLook{50};
// An instance that runs for longer than it takes to boot, and whose engine does not answer for a
// while, has lost it.
constexpr Milliseconds kBoot{30'000};
constexpr Milliseconds kPatience{5'000};

struct SwarmState {
  std::string state;  // inactive, pending, active, error, locked
  std::string node_id;
  bool control = false;
};

class Former {
 public:
  Former(const FormationRequest& request, const FormationWorld& world)
      : request_(request), world_(world) {}

  Result<Formation> run() {
    HIVE_TRY(plan());
    HIVE_TRY(find_swarm());
    std::vector<std::function<Status()>> jobs;
    for (auto& member : members_) jobs.push_back([this, &member] { return bring(member); });
    HIVE_TRY(run_all(jobs, 64));
    HIVE_TRY(settle());
    auto leader = opener_->engine;
    return Formation{std::move(members_), std::move(leader), changed_};
  }

 private:
  void did(const std::string& what) {
    std::lock_guard lock(mutex_);
    changed_ = true;
    if (world_.did) world_.did(what);
  }

  // Names what there shall be, and matches it with what there is.
  Status plan() {
    HIVE_ASSIGN(const auto instances, world_.cloud()->list_instances());
    const auto add = [&](const std::string& role, std::uint32_t wanted) {
      for (const auto& instance : instances) {
        if (instance.role == role) members_.push_back({.instance = instance});
      }
      const auto have = std::count_if(instances.begin(), instances.end(),
                                      [&](const auto& i) { return i.role == role; });
      std::uint32_t number = 0;
      for (auto missing = static_cast<std::int64_t>(wanted) - have; missing > 0; --missing) {
        std::string hostname;
        do {
          hostname = request_.cluster + "-" + role + "-" + std::to_string(++number);
        } while (std::any_of(instances.begin(), instances.end(),
                             [&](const auto& i) { return i.hostname == hostname; }));
        cloud::Instance instance;
        instance.hostname = hostname;
        instance.role = role;
        members_.push_back({.instance = instance});
      }
    };
    add("manager", request_.managers);
    managers_ = members_.size();
    add("worker", request_.workers);
    return {};
  }

  // The swarm that the managers which are there already belong to, when they do.
  Status find_swarm() {
    std::vector<std::function<Status()>> jobs;
    for (std::size_t i = 0; i < managers_; ++i) {
      if (!members_[i].instance.id.empty())
        jobs.push_back([this, i] { return launch(members_[i]); });
    }
    if (jobs.empty()) return {};
    HIVE_TRY(run_all(jobs));
    const auto begin = world_.clock->now();
    for (;;) {
      bool in_a_swarm = false;
      for (std::size_t i = 0; i < managers_; ++i) {
        if (!members_[i].engine) continue;
        HIVE_ASSIGN(const auto state, state_of(members_[i]));
        // A worker's engine, or one cut off while joining, does not speak for the swarm.
        in_a_swarm = in_a_swarm || (state.state == "active" && state.control);
        if (state.control && members_[i].engine->list_nodes()) return open_swarm(members_[i]);
      }
      if (!in_a_swarm) return {};
      // Managers that were just started elect a leader within seconds.
      if (world_.clock->now() - begin > Milliseconds(20'000))
        return fail(Errc::kFailedPrecondition,
                    "the managers lost their quorum: more than half of them do not answer. "
                    "'hive instance ls' shows them; 'hive down' and 'hive up' begin anew");
      if (!world_.pause(kEnginesLook)) return interrupted();
    }
  }

  static tl::unexpected<Error> interrupted() {
    return fail(Errc::kCancelled, "interrupted; run 'hive up' again to go on");
  }

  Result<SwarmState> state_of(const Member& member) {
    HIVE_ASSIGN(const auto info, member.engine->info());
    return SwarmState{json_string(info, "Swarm.LocalNodeState", "inactive"),
                      json_string(info, "Swarm.NodeID"), json_bool(info, "Swarm.ControlAvailable")};
  }

  // The instance runs and its engine answers.
  Status launch(Member& member) {
    if (member.engine) return {};
    auto cloud = world_.cloud();
    const bool was_running = member.instance.state == cloud::InstanceState::kRunning;
    if (member.instance.id.empty()) {
      cloud::LaunchRequest launch{.role = member.instance.role,
                                  .hostname = member.instance.hostname,
                                  .user_data = request_.user_data(member.instance.role),
                                  .idempotency_token = member.instance.hostname};
      auto launched = cloud->launch(launch);
      if (!launched) return annotate(launched.error(), "launching " + member.instance.hostname);
      member.instance = std::move(*launched);
      did("instance " + member.instance.hostname + " launched at " + member.instance.address);
    } else if (member.instance.state == cloud::InstanceState::kStopped) {
      if (auto started = cloud->start(member.instance.id); !started)
        return annotate(started.error(), "starting " + member.instance.hostname);
      did("instance " + member.instance.hostname + " started");
      HIVE_ASSIGN(const auto all, cloud->list_instances());
      for (const auto& instance : all) {
        if (instance.id == member.instance.id) member.instance = instance;
      }
    }
    const auto patience = was_running ? time_to_answer(member.instance) : kEngineDeadline;
    HIVE_ASSIGN(auto engine, world_.connect(member.instance.engine_host));
    member.engine = std::move(engine);
    auto answers = wait_for_engine(member, patience);
    if (answers || !was_running || answers.error().code != Errc::kDeadlineExceeded) return answers;
    return restart(member, *cloud);
  }

  Milliseconds time_to_answer(const cloud::Instance& instance) const {
    const auto now =
        std::chrono::duration_cast<Milliseconds>(world_.clock->wall_now().time_since_epoch());
    return std::max(kPatience, kBoot - (now - Milliseconds(instance.launched_unix_ms)));
  }

  // An instance without an engine is no use; its disk, and so its place in the swarm, stays.
  Status restart(Member& member, cloud::Cloud& cloud) {
    const std::string& name = member.instance.hostname;
    if (auto off = cloud.power_off(member.instance.id); !off)
      return annotate(off.error(), "restarting " + name);
    if (auto on = cloud.start(member.instance.id); !on)
      return annotate(on.error(), "restarting " + name);
    did("instance " + name + " restarted, since its engine did not answer");
    return wait_for_engine(member, kEngineDeadline);
  }

  Status wait_for_engine(Member& member, Milliseconds deadline) {
    const auto begin = world_.clock->now();
    for (;;) {
      const auto answer = member.engine->ping();
      if (answer) return {};
      if (world_.clock->now() - begin > deadline)
        return fail(Errc::kDeadlineExceeded, "the engine of " + member.instance.hostname +
                                                 " does not answer: " + answer.error().message +
                                                 ". 'hive instance console " +
                                                 member.instance.hostname + "' shows why");
      if (!world_.pause(kEnginesLook)) return interrupted();
    }
  }

  // Learns the tokens and nodes of the swarm that `member` is a manager of.
  Status open_swarm(Member& member) {
    HIVE_ASSIGN(auto tokens, member.engine->join_tokens());
    HIVE_ASSIGN(const auto nodes, member.engine->list_nodes());
    std::lock_guard lock(mutex_);
    tokens_ = std::move(tokens);
    opener_ = &member;
    for (const auto& node : nodes) known_nodes_.insert(node.id);
    changed_state_.notify_all();
    return {};
  }

  Status bring(Member& member) {
    auto done = launch(member);
    const bool manager = member.instance.role == "manager";
    if (done) done = manager ? bring_manager(member) : bring_worker(member);
    if (!done) {
      // Whoever waits for this one must not wait for ever.
      std::lock_guard lock(mutex_);
      failed_ = true;
      changed_state_.notify_all();
    }
    return done;
  }

  Status bring_manager(Member& member) {
    if (&member == &members_.front() && !swarm_is_open()) HIVE_TRY(initialise(member));
    HIVE_TRY(wait_until([this] { return tokens_.has_value(); }));
    HIVE_TRY(join(member, tokens_->manager));
    std::lock_guard lock(mutex_);
    ++joined_managers_;
    changed_state_.notify_all();
    return {};
  }

  Status bring_worker(Member& member) {
    HIVE_TRY(wait_until([this] { return joined_managers_ == managers_; }));
    return join(member, tokens_->worker);
  }

  bool swarm_is_open() {
    std::lock_guard lock(mutex_);
    return tokens_.has_value();
  }

  Status wait_until(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    changed_state_.wait(lock, [&] { return failed_ || condition(); });
    if (condition()) return {};
    return fail(Errc::kCancelled, "not begun, since another node failed");
  }

  Status initialise(Member& member) {
    HIVE_ASSIGN(const auto state, state_of(member));
    if (state.state != "inactive") HIVE_TRY(member.engine->swarm_leave(true));
    engine::SwarmInit init;
    init.advertise_address = member.instance.address;
    if (auto made = member.engine->swarm_init(init); !made)
      return annotate(made.error(), "initialising the swarm on " + member.instance.hostname);
    did("swarm initialised on " + member.instance.hostname);
    return open_swarm(member);
  }

  // Joins unless the engine is one of this swarm's nodes already. One that is in another swarm, or
  // was cut off while joining, leaves first.
  Status join(Member& member, const std::string& token) {
    const std::string& name = member.instance.hostname;
    const auto begin = world_.clock->now();
    for (;;) {
      HIVE_ASSIGN(const auto state, state_of(member));
      const auto waited = std::chrono::duration_cast<Milliseconds>(world_.clock->now() - begin);
      const auto known = belongs(state.node_id);  // which nobody can tell between two leaders
      if (!known && waited > kJoinDeadline) return tl::unexpected(known.error());
      switch (known ? next_join_step(state.state, *known, member.instance.role == "manager", waited)
                    : JoinStep::kWait) {
        case JoinStep::kThere:
          member.node_id = state.node_id;
          return {};
        case JoinStep::kWait:
          break;
        case JoinStep::kLocked:
          return fail(Errc::kFailedPrecondition,
                      name + ": its swarm is locked: 'docker swarm unlock' there, then 'hive up'");
        case JoinStep::kStuck:
          return fail(Errc::kDeadlineExceeded,
                      name + " is a manager of this swarm and does not come back to it: 'hive " +
                          "instance console " + name + "' shows why");
        case JoinStep::kLeaveAndJoin:
          if (auto left = member.engine->swarm_leave(true); !left)
            return annotate(left.error(), name + " leaving its old swarm");
          return join_anew(member, token);
        case JoinStep::kJoin:
          return join_anew(member, token);
      }
      if (!world_.pause(kEnginesLook)) return interrupted();
    }
  }

  Status join_anew(Member& member, const std::string& token) {
    engine::SwarmJoin request;
    request.advertise_address = member.instance.address;
    request.remote_addresses = {opener_->instance.address + ":2377"};
    request.token = token;
    if (auto joined = member.engine->swarm_join(request); !joined)
      return annotate(joined.error(), "joining " + member.instance.hostname);
    HIVE_ASSIGN(const auto after, state_of(member));
    member.node_id = after.node_id;
    did(member.instance.role + " " + member.instance.hostname + " joined");
    return {};
  }

  Result<bool> belongs(const std::string& node_id) {
    if (node_id.empty()) return false;
    {
      std::lock_guard lock(mutex_);
      if (known_nodes_.contains(node_id)) return true;
    }
    HIVE_ASSIGN(const auto nodes, opener_->engine->list_nodes());
    std::lock_guard lock(mutex_);
    for (const auto& node : nodes) known_nodes_.insert(node.id);
    return known_nodes_.contains(node_id);
  }

  // All nodes are ready, and nodes that an earlier life of an instance left behind are gone.
  Status settle() {
    const auto begin = world_.clock->now();
    for (;;) {
      auto listed = opener_->engine->list_nodes();
      if (!listed && world_.clock->now() - begin <= kJoinDeadline) {  // between two leaders
        if (!world_.pause(kEnginesLook)) return interrupted();
        continue;
      }
      HIVE_ASSIGN(const auto nodes, std::move(listed));
      std::string waiting;
      for (const auto& member : members_) {
        const auto node = std::find_if(nodes.begin(), nodes.end(), [&](const model::Node& n) {
          return n.id == member.node_id;
        });
        if (node == nodes.end() || node->state != model::NodeState::kReady)
          waiting += (waiting.empty() ? "" : ", ") + member.instance.hostname;
      }
      if (waiting.empty()) return remove_stale(nodes);
      if (world_.clock->now() - begin > kJoinDeadline)
        return fail(Errc::kDeadlineExceeded, "not ready in time: " + waiting +
                                                 ". 'hive node ls' and 'hive instance console' "
                                                 "say more");
      if (!world_.pause(kEnginesLook)) return interrupted();
    }
  }

  Status remove_stale(const std::vector<model::Node>& nodes) {
    for (const auto& node : nodes) {
      const bool stale =
          node.state == model::NodeState::kDown &&
          std::any_of(members_.begin(), members_.end(), [&](const Member& member) {
            return member.instance.hostname == node.hostname && member.node_id != node.id;
          });
      if (!stale) continue;
      if (node.role == model::Role::kManager)
        HIVE_TRY(engine::modify_node(*opener_->engine, node.id, [](Json& spec) -> Result<bool> {
          spec["Role"] = "worker";
          return true;
        }));
      if (auto removed = opener_->engine->remove_node(node.id, true); !removed)
        return annotate(removed.error(), "removing the stale node of " + node.hostname);
      did("stale node " + node.id + " of " + node.hostname + " removed");
    }
    return {};
  }

  const FormationRequest& request_;
  const FormationWorld& world_;
  std::vector<Member> members_;  // managers first; not resized once threads run
  std::size_t managers_ = 0;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_state_;
  std::optional<engine::JoinTokens> tokens_;
  Member* opener_ = nullptr;
  std::set<std::string> known_nodes_;
  std::size_t joined_managers_ = 0;
  bool failed_ = false;
  bool changed_ = false;
};

}  // namespace

Result<Formation> form_swarm(const FormationRequest& request, const FormationWorld& world) {
  return Former(request, world).run();
}

}  // namespace hive::cli
