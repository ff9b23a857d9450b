#include <algorithm>

#include "base/log.h"
#include "controller/aws_site.h"
#include "controller/routing.h"

namespace hive::controller {
namespace {

namespace aws = cloud::aws;

constexpr const char* kBoardComponent = "board";
// The operator takes an older word for none.
constexpr Milliseconds kSayAgain{30'000};
constexpr const char* kDeploying = "deploying";
constexpr const char* kDeployed = "deployed";
constexpr const char* kFailed = "failed";

}  // namespace

BoardKeeper::BoardKeeper(aws::Board& board, engine::Engine& engine, const Clock& clock,
                         Deploy deploy)
    : board_(board), engine_(engine), clock_(clock), deploy_(std::move(deploy)) {}

BoardKeeper::~BoardKeeper() { finish(); }

void BoardKeeper::finish() {
  if (deployer_.joinable()) deployer_.join();
}

void BoardKeeper::rest() {
  knows_ = false;
  place_.reset();
  written_.reset();
}

Status BoardKeeper::turn() {
  if (!knows_) {
    HIVE_ASSIGN(place_, board_.swarm());
    HIVE_ASSIGN(const auto before, board_.status());
    const std::lock_guard lock(mutex_);
    if (before && !deploying_) status_ = *before;
    knows_ = true;
  }
  HIVE_TRY(publish_place());
  // A stack that cannot be read holds up nothing else.
  auto begun = begin_deploying();
  HIVE_TRY(publish_status());
  return begun;
}

Status BoardKeeper::publish_place() {
  HIVE_ASSIGN(const auto swarm, engine_.swarm_inspect());
  HIVE_ASSIGN(const auto nodes, engine_.list_nodes());
  aws::SwarmPlace now{json_string(swarm, "ID"), json_string(swarm, "TLSInfo.TrustRoot"), {}};
  for (const auto& node : nodes)
    if (node.manager_reachability == "reachable")
      now.managers.push_back(node.manager_address.substr(0, node.manager_address.rfind(':')));
  std::sort(now.managers.begin(), now.managers.end());
  if (now.ca.empty() || now.managers.empty())
    return fail(Errc::kUnavailable, "the engine does not tell its authority or its managers");
  if (place_ && *place_ == now) return {};
  HIVE_TRY(board_.put_swarm(now));
  place_ = std::move(now);
  return {};
}

Status BoardKeeper::begin_deploying() {
  HIVE_ASSIGN(const auto revision, board_.stack_revision());
  if (!revision) return {};
  {
    const std::lock_guard lock(mutex_);
    const bool over = status_.stack == kDeployed || status_.stack == kFailed;
    if (deploying_ || (status_.revision == *revision && over)) return {};
  }
  HIVE_ASSIGN(auto stack, board_.stack());
  if (!stack) return {};
  finish();
  {
    const std::lock_guard lock(mutex_);
    deploying_ = true;
    status_.revision = stack->revision;
    status_.stack = kDeploying;
    status_.message.clear();
  }
  log::info(kBoardComponent, "deploys stack revision {}", stack->revision);
  deployer_ = std::jthread([this, stack = std::move(*stack)] {
    const auto done = deploy_(stack);
    if (!done)
      log::warn(kBoardComponent, "revision {}: {}", stack.revision, describe(done.error()));
    const std::lock_guard lock(mutex_);
    deploying_ = false;
    status_.stack = done ? kDeployed : kFailed;
    status_.message = done ? "" : done.error().message;
  });
  return {};
}

Status BoardKeeper::publish_status() {
  HIVE_ASSIGN(const auto nodes, engine_.list_nodes());
  aws::ClusterStatus now;
  {
    const std::lock_guard lock(mutex_);
    now = status_;
  }
  now.swarm = place_ ? place_->id : "";
  now.managers_ready = now.workers_ready = 0;
  now.waiting.clear();
  for (const auto& node : nodes) {
    const bool manager = node.role == model::Role::kManager;
    const bool ready = node.state == model::NodeState::kReady &&
                       (!manager || node.manager_reachability == "reachable");
    if (!ready)
      now.waiting.push_back(node.hostname);
    else
      ++(manager ? now.managers_ready : now.workers_ready);
  }
  std::sort(now.waiting.begin(), now.waiting.end());
  const bool old = clock_.now() - written_at_ >= kSayAgain;
  if (written_ && written_->says_the_same(now) && !old) return {};
  now.unix_s =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall_now().time_since_epoch())
          .count();
  HIVE_TRY(board_.put_status(now));
  written_ = std::move(now);
  written_at_ = clock_.now();
  return {};
}

}  // namespace hive::controller
