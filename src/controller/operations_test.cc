#include "controller/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/operation_record.h"
#include "engine/fake/fake_engine.h"

namespace hive::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Raises a label on a config, one step a number: {"to": 3, "claim": "x"}.
class CountKind final : public OperationKind {
 public:
  explicit CountKind(std::vector<int>& done) : done_(done) {}
  std::string_view name() const override { return "count"; }
  Result<Json> check(const Json& request, const World&) const override {
    if (json_int(request, "to") <= 0) return fail(Errc::kInvalidArgument, "'to' must be above 0");
    return request;
  }
  std::string subject(const Json& request, const World&) const override {
    return "counter to " + std::to_string(json_int(request, "to"));
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    const std::string claim = json_string(record.request, "claim");
    return claim.empty() ? std::vector<std::string>{} : std::vector<std::string>{claim};
  }
  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    const auto at = json_int(record.state, "at");
    const auto to = json_int(record.request, "to");
    out.state = record.state.is_null() ? Json{{"at", 0}} : record.state;
    out.progress = {static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(to), "counts"};
    if (record.cancelled) {
      out.outcome = OperationOutcome::kCancelled;
      out.result = "asked to end at " + std::to_string(at);
      return out;
    }
    if (at >= to) {
      out.outcome = OperationOutcome::kSucceeded;
      out.result = "counted";
      return out;
    }
    (void)input;
    out.state = Json{{"at", at + 1}};
    out.stops = {{"task-" + std::to_string(at + 1), "count", "for the test", false}};
    out.actions.push_back({"count " + std::to_string(at + 1), "it was asked for",
                           [this, at](Outside& outside) -> Status {
                             HIVE_TRY(outside.engine.ping());
                             done_.push_back(static_cast<int>(at + 1));
                             return {};
                           }});
    return out;
  }
  std::vector<OperationRequest> propose(const World&,
                                        const std::vector<OperationRecord>&) const override {
    if (propose_id_.empty()) return {};
    return {{propose_id_, "count", "hive", Json{{"to", 1}}}};
  }
  void propose_as(std::string id) { propose_id_ = std::move(id); }

 private:
  std::vector<int>& done_;
  std::string propose_id_;
};

// One manager's operations over a swarm that several may share.
struct OperationsLeader {
  OperationsLeader(engine::Engine& engine, ManualClock& clock, std::vector<int>& done,
                   OperationOptions options = {})
      : engine_(engine), clock_(clock) {
    std::vector<std::unique_ptr<OperationKind>> kinds;
    kinds.push_back(std::make_unique<CountKind>(done));
    kind = static_cast<CountKind*>(kinds.back().get());
    operations = std::make_unique<Operations>(
        Outside{engine, [] { return fail(Errc::kUnsupported, "no cloud"); }}, clock, history,
        executor, std::move(kinds), Random(1), options);
  }
  // A look and the step on it; its jobs wait.
  void look() {
    auto world = std::make_shared<World>();
    world->snapshot.taken_at = clock_.now();
    world->now_unix_ms =
        std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch()).count();
    auto records = operations->read();
    ASSERT_TRUE(records) << describe(records.error());
    operations->step(world, std::move(*records));
  }
  void turn() {
    clock_.advance(Milliseconds(1'000));
    look();
    executor.run();
  }
  std::string outcome(const std::string& id) {
    const auto found = operations->get(id);
    return found ? json_string(*found, "outcome") : "gone";
  }
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const auto& event : history.list(0, 100)) out.push_back(event.kind + ": " + event.reason);
    return out;
  }

  engine::Engine& engine_;
  ManualClock& clock_;
  store::History history{""};
  ManualExecutor executor;
  CountKind* kind = nullptr;
  std::unique_ptr<Operations> operations;
};

class OperationsTest : public ::testing::Test {
 protected:
  engine::fake::FakeEngine engine;
  ManualClock clock;
  std::vector<int> done;
  OperationsLeader leader{engine, clock, done};

  OperationRequest ask(const std::string& id, int to, const std::string& claim = "") {
    return {id, "count", "root", Json{{"to", to}, {"claim", claim}}};
  }
};

TEST_F(OperationsTest, RunsStepAfterStepAndSaysSo) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 2)));
  for (int i = 0; i < 4; ++i) leader.turn();
  EXPECT_THAT(done, ElementsAre(1, 2));
  EXPECT_EQ(leader.outcome("a"), "succeeded");
  EXPECT_THAT(
      leader.told(),
      ElementsAre("count_begun: asked for by root", "count: count 1: it was asked for",
                  "count: count 2: it was asked for", "count_succeeded: counted (took 3s)"));
}

TEST_F(OperationsTest, NothingIsTakenBeforeTheFirstLook) {
  const auto created = leader.operations->create(ask("a", 2));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::kUnavailable);
}

TEST_F(OperationsTest, OneIdIsOneOperation) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 1)));
  const auto again = leader.operations->create(ask("a", 1));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->existed);
  leader.turn();
  EXPECT_TRUE(leader.operations->create(ask("a", 1))->existed);
  // Written by another leader since our last look.
  OperationsLeader other(engine, clock, done);
  other.look();
  ASSERT_TRUE(other.operations->create(ask("b", 1)));
  EXPECT_TRUE(leader.operations->create(ask("b", 1))->existed);
}

TEST_F(OperationsTest, BadRequestsAreRefused) {
  leader.look();
  const auto code = [&](const OperationRequest& request) {
    const auto created = leader.operations->create(request);
    return created ? Errc::kInternal : created.error().code;
  };
  EXPECT_EQ(code(ask("a", 0)), Errc::kInvalidArgument);
  EXPECT_EQ(code({"a", "unheard-of", "root", Json::object()}), Errc::kInvalidArgument);
  EXPECT_EQ(code(ask("a b", 1)), Errc::kInvalidArgument);
  EXPECT_EQ(code(ask(std::string(49, 'x'), 1)), Errc::kInvalidArgument);
  EXPECT_EQ(code({"a", "count", "root", Json{{"to", 1}, {"x", std::string(70'000, 'x')}}}),
            Errc::kResourceExhausted);
  EXPECT_EQ(leader.operations->list(), Json::array());
}

TEST_F(OperationsTest, AStepNeverWorksOnALookFromBeforeItsLastAction) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 5)));
  clock.advance(Milliseconds(10));
  leader.look();
  leader.look();  // while the job waits
  EXPECT_EQ(leader.executor.run(), 1U);
  // This look began before the job ended.
  auto old = std::make_shared<World>();
  old->snapshot.taken_at = clock.now() - Milliseconds(5);
  leader.operations->step(old, *leader.operations->read());
  EXPECT_EQ(leader.executor.waiting(), 0U);
  EXPECT_THAT(done, ElementsAre(1));
}

TEST_F(OperationsTest, ANewLeaderGoesOnWhereTheOldOneWas) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 3)));
  leader.turn();
  clock.advance(Milliseconds(1'000));
  leader.look();
  leader.executor.drop();  // it dies with its job not begun
  OperationsLeader next(engine, clock, done);
  for (int i = 0; i < 4; ++i) next.turn();
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
  EXPECT_EQ(next.outcome("a"), "succeeded");
}

TEST_F(OperationsTest, AnOldLeadersJobIsFencedOff) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 2)));
  leader.turn();
  clock.advance(Milliseconds(1'000));
  leader.look();  // its job hangs in the air
  OperationsLeader next(engine, clock, done);
  next.turn();
  leader.executor.run();
  EXPECT_THAT(done, ElementsAre(1, 2)) << "the second step was done twice";
}

TEST_F(OperationsTest, StopOrdersCountOnceTheStateIsWritten) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 1)));
  clock.advance(Milliseconds(1'000));
  leader.look();
  EXPECT_TRUE(leader.operations->stops().empty());
  leader.executor.run();
  ASSERT_EQ(leader.operations->stops().size(), 1U);
  EXPECT_EQ(leader.operations->stops()[0].task_id, "task-1");
  EXPECT_EQ(leader.operations->stops()[0].by, "count, asked for by " + ask("a", 1).by);
  leader.turn();
  EXPECT_TRUE(leader.operations->stops().empty()) << "the operation has ended";
}

TEST_F(OperationsTest, FailuresAreTriedAgain) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 1)));
  engine.fail_next("ping", {Errc::kUnavailable, "connection refused", std::nullopt}, 2);
  leader.turn();
  EXPECT_THAT(json_string(*leader.operations->get("a"), "trouble"),
              "could not count 1: connection refused");
  EXPECT_TRUE(done.empty());
}

TEST_F(OperationsTest, WhatFailsForEverEnds) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 1'000)));
  engine.fail_next("ping", {Errc::kUnavailable, "connection refused", std::nullopt}, 1'000);
  for (int i = 0; i < 500 && leader.outcome("a") == "running"; ++i) leader.turn();
  EXPECT_EQ(leader.outcome("a"), "failed");
  EXPECT_THAT(json_string(*leader.operations->get("a"), "result"),
              HasSubstr("gave up after 20 tries to count"));
  EXPECT_TRUE(done.empty());
}

TEST_F(OperationsTest, ACancelledOneEndsItself) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 100)));
  leader.turn();
  leader.turn();
  ASSERT_TRUE(leader.operations->cancel("a"));
  leader.turn();
  EXPECT_EQ(leader.outcome("a"), "cancelled");
  EXPECT_THAT(done, ElementsAre(1, 2));
  EXPECT_EQ(leader.operations->cancel("a").error().code, Errc::kFailedPrecondition);
  EXPECT_EQ(leader.operations->cancel("b").error().code, Errc::kNotFound);
}

TEST_F(OperationsTest, WhatAnotherHoldsIsRefused) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 1, "service:x")));
  const auto second = leader.operations->create(ask("b", 1, "service:x"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("count of counter to 1 (operation a)"));
  for (int i = 0; i < 3; ++i) leader.turn();
  EXPECT_TRUE(leader.operations->create(ask("b", 1, "service:x")));
}

TEST_F(OperationsTest, TheirNumberIsBounded) {
  OperationsLeader small(engine, clock, done, {.max_active = 2, .max_finished = 1});
  small.look();
  ASSERT_TRUE(small.operations->create(ask("a", 1)));
  ASSERT_TRUE(small.operations->create(ask("b", 1)));
  EXPECT_EQ(small.operations->create(ask("c", 1)).error().code, Errc::kResourceExhausted);
  for (int i = 0; i < 6; ++i) small.turn();
  EXPECT_EQ(small.operations->list().size(), 1U) << "the older finished one is removed";
  clock.advance(Milliseconds(600'000));
  for (int i = 0; i < 2; ++i) small.turn();
  EXPECT_EQ(small.operations->list(), Json::array());
  EXPECT_TRUE(engine.list_configs({})->empty());
}

TEST_F(OperationsTest, ForeignAndBrokenConfigsArePassedOver) {
  ASSERT_TRUE(engine.create_config({{"Name", "hive.op.broken"}, {"Data", "e30x"}}));
  ASSERT_TRUE(engine.create_config({{"Name", "hive.op.newer"},
                                    {"Labels", {{"hive.state", "{}"}}},
                                    {"Data", "eyJraW5kIjoibmV3ZXIifQ=="}}));
  leader.turn();
  leader.turn();
  ASSERT_EQ(leader.operations->list().size(), 1U);
  EXPECT_THAT(json_string(*leader.operations->get("newer"), "doing"), HasSubstr("does not know"));
}

TEST_F(OperationsTest, AProposalIsMadeOnce) {
  leader.kind->propose_as("from-hive");
  for (int i = 0; i < 5; ++i) leader.turn();
  EXPECT_THAT(done, ElementsAre(1));
  EXPECT_EQ(leader.outcome("from-hive"), "succeeded");
}

TEST_F(OperationsTest, ARestingControllerAnswersNothing) {
  leader.look();
  ASSERT_TRUE(leader.operations->create(ask("a", 3)));
  leader.operations->rest();
  EXPECT_EQ(leader.operations->list(), Json::array());
  EXPECT_EQ(leader.operations->create(ask("b", 1)).error().code, Errc::kUnavailable);
  leader.turn();
  EXPECT_EQ(leader.outcome("a"), "running");
}

TEST(OperationRecordTest, IsReadAsItWasWritten) {
  OperationRecord record;
  record.id = "x-1";
  record.kind = "count";
  record.by = "root on m-1";
  record.subject = "web";
  record.request = Json{{"to", 3}};
  record.created_unix_ms = 17;
  record.state = Json{{"at", 1}};
  record.cancelled = true;
  record.outcome = OperationOutcome::kFailed;
  record.result = "no";
  record.finished_unix_ms = 18;
  const auto spec = config_spec_of(record);
  ASSERT_TRUE(spec);
  const auto back =
      operation_from_config({{"ID", "c"}, {"Version", {{"Index", 7}}}, {"Spec", *spec}});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, record.id);
  EXPECT_EQ(back->kind, record.kind);
  EXPECT_EQ(back->by, record.by);
  EXPECT_EQ(back->subject, record.subject);
  EXPECT_EQ(back->request, record.request);
  EXPECT_EQ(back->created_unix_ms, record.created_unix_ms);
  EXPECT_EQ(back->state, record.state);
  EXPECT_TRUE(back->cancelled);
  EXPECT_EQ(back->outcome, record.outcome);
  EXPECT_EQ(back->result, record.result);
  EXPECT_EQ(back->finished_unix_ms, record.finished_unix_ms);
  EXPECT_EQ(back->config_id, "c");
  EXPECT_EQ(back->version, 7U);
}

}  // namespace
}  // namespace hive::controller
