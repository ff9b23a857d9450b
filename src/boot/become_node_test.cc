#include "boot/become_node.h"

#include <gmock/gmock.h>

#include "engine/fake/fake_engine.h"

namespace hive::boot {
namespace {

using cloud::aws::Offer;
using cloud::aws::SwarmPlace;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const SwarmPlace kPlace{"swarm-1", "PEM", {"10.0.0.1", "10.0.0.2"}};
const Offer kOffer{"SWMTKN-1-secret", "shop-worker-1", {"10.0.0.1", "10.0.0.2"}};

class FakeSurroundings final : public Surroundings {
 public:
  Result<std::optional<std::string>> founder() override { return founder_is; }
  Result<std::optional<SwarmPlace>> swarm() override { return place; }
  Result<Offer> ask(const SwarmPlace&, const std::string& manager) override {
    asked.push_back(manager);
    if (rests) return Offer{.rests = true};
    if (const auto found = offers.find(manager); found != offers.end()) return found->second;
    return fail(Errc::kPermissionDenied, "i-1 may not join: a reason");
  }
  Result<std::string> own_name() override { return std::string("shop-manager-1"); }
  Status set_hostname(const std::string& name) override {
    hostname = name;
    return {};
  }
  Result<bool> warm() override { return warm_is; }

  Result<std::optional<std::string>> founder_is = std::optional<std::string>();
  Result<std::optional<SwarmPlace>> place = std::optional<SwarmPlace>();
  std::map<std::string, Offer> offers;
  std::vector<std::string> asked;
  std::string hostname;
  bool rests = false;  // what managers say
  Result<bool> warm_is = false;
};

class BecomeNodeTest : public ::testing::Test {
 protected:
  Result<Became> run() {
    return become_node(
        engine, around, options, clock,
        [this](Milliseconds time) {
          clock.advance(time);
          if (meanwhile) meanwhile();
          return true;
        },
        [this](const std::string& text) { said.push_back(text); });
  }
  std::vector<std::string> swarm_calls() {
    std::vector<std::string> out;
    for (const auto& call : engine.calls())
      if (call.starts_with("swarm_")) out.push_back(call);
    return out;
  }

  engine::fake::FakeEngine engine{false};
  FakeSurroundings around;
  BootOptions options{.self = {"i-1", "10.0.0.9"}, .deadline = Milliseconds(60'000)};
  ManualClock clock;
  std::function<void()> meanwhile;
  std::vector<std::string> said;
};

TEST_F(BecomeNodeTest, AWorkerJoinsByTheOfferOfAManager) {
  around.place = kPlace;
  around.offers["10.0.0.2"] = kOffer;
  const auto became = run();
  ASSERT_TRUE(became) << became.error().message;
  EXPECT_EQ(*became, Became::kMember);
  EXPECT_EQ(around.hostname, "shop-worker-1");
  EXPECT_THAT(around.asked, ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(swarm_calls(), ElementsAre("swarm_join"));
  for (const auto& line : said) EXPECT_THAT(line, Not(HasSubstr("SWMTKN")));
}

TEST_F(BecomeNodeTest, ANodeDoesNothing) {
  ASSERT_TRUE(engine.swarm_init({}));
  engine.clear_calls();
  EXPECT_EQ(*run(), Became::kWasMember);
  EXPECT_THAT(swarm_calls(), IsEmpty());
  EXPECT_THAT(around.asked, IsEmpty());
}

TEST_F(BecomeNodeTest, TheNamedFounderBeginsTheSwarm) {
  options.manager = true;
  around.founder_is = "i-1";
  EXPECT_EQ(*run(), Became::kFounder);
  EXPECT_THAT(swarm_calls(), ElementsAre("swarm_init"));
  EXPECT_EQ(around.hostname, "shop-manager-1");
}

TEST_F(BecomeNodeTest, NobodyElseEverBeginsOne) {
  around.founder_is = "i-1";  // a worker is never asked, whatever the board says
  EXPECT_EQ(run().error().code, Errc::kDeadlineExceeded);
  options.manager = true;
  around.founder_is = "i-2";
  EXPECT_EQ(run().error().code, Errc::kDeadlineExceeded);
  around.founder_is = std::optional<std::string>();
  EXPECT_EQ(run().error().code, Errc::kDeadlineExceeded);
  EXPECT_THAT(swarm_calls(), IsEmpty());
}

TEST_F(BecomeNodeTest, OnceThereIsASwarmTheFounderJoinsToo) {
  options.manager = true;
  around.founder_is = "i-1";
  around.place = kPlace;
  around.offers["10.0.0.1"] = kOffer;
  EXPECT_EQ(*run(), Became::kMember);
  EXPECT_THAT(swarm_calls(), ElementsAre("swarm_join"));
}

TEST_F(BecomeNodeTest, WaitsUntilThereIsASwarm) {
  int looks = 0;
  meanwhile = [&] {
    if (++looks != 3) return;
    around.place = kPlace;
    around.offers["10.0.0.1"] = kOffer;
  };
  EXPECT_EQ(*run(), Became::kMember);
  EXPECT_THAT(said, ElementsAre("waits for a Swarm to join", "joined the Swarm as shop-worker-1"));
}

TEST_F(BecomeNodeTest, ARefusalIsTriedAgainAndSaidInTheEnd) {
  around.place = kPlace;
  const auto became = run();
  EXPECT_EQ(became.error().code, Errc::kDeadlineExceeded);
  EXPECT_THAT(became.error().message, HasSubstr("a reason"));
  EXPECT_GT(around.asked.size(), 10U);
  EXPECT_EQ(said.size(), 1U) << "the same reason is said once";
}

TEST_F(BecomeNodeTest, ATokenThatWasRotatedMeanwhileIsAskedForAnew) {
  around.place = kPlace;
  around.offers["10.0.0.1"] = kOffer;
  engine.fail_next("swarm_join",
                   {Errc::kInvalidArgument, "invalid join token SWMTKN-1-secret", {}});
  EXPECT_EQ(*run(), Became::kMember);
  EXPECT_THAT(around.asked, ElementsAre("10.0.0.1", "10.0.0.1"));
  for (const auto& line : said) EXPECT_THAT(line, Not(HasSubstr("SWMTKN")));
}

TEST_F(BecomeNodeTest, TheEngineAndTheBoardAreWaitedFor) {
  engine.fail_next("info", {Errc::kUnavailable, "connection refused", {}}, 2);
  around.place = tl::unexpected(Error{Errc::kPermissionDenied, "you may not", {}});
  meanwhile = [&] {
    if (said.size() < 2) return;
    around.place = kPlace;
    around.offers["10.0.0.1"] = kOffer;
  };
  EXPECT_EQ(*run(), Became::kMember);
  EXPECT_THAT(said, Contains("waits for the engine to answer: connection refused"));
  EXPECT_THAT(said, Contains("waits for the notice board: you may not"));
}

TEST_F(BecomeNodeTest, InTheWarmPoolItRestsWithoutADeadlineUntilItsGroupTakesIt) {
  around.place = kPlace;
  around.offers["10.0.0.1"] = kOffer;
  around.rests = true;
  around.warm_is = true;
  int looks = 0;
  meanwhile = [&] {
    if (++looks == 500) around.warm_is = tl::unexpected(Error{Errc::kUnavailable, "away", {}});
    if (looks != 600) return;
    around.rests = false;
    around.warm_is = false;
  };
  const auto became = run();
  ASSERT_TRUE(became) << became.error().message;
  EXPECT_EQ(*became, Became::kMember);
  EXPECT_THAT(around.asked, ElementsAre("10.0.0.1", "10.0.0.1")) << "not while it rests";
  EXPECT_THAT(said,
              ElementsAre("waits for its group to take it out of the warm pool",
                          "waits for its metadata: away", "joined the Swarm as shop-worker-1"));
}

// Its time in the pool is no time of its boot.
TEST_F(BecomeNodeTest, OnceOutOfTheWarmPoolItHasItsWholeTime) {
  around.place = kPlace;
  around.rests = true;
  around.warm_is = true;
  const auto begin = clock.now();
  int looks = 0;
  meanwhile = [&] {
    if (++looks != 100) return;
    around.rests = false;
    around.warm_is = false;
  };
  EXPECT_EQ(run().error().code, Errc::kDeadlineExceeded);
  EXPECT_GE(clock.now() - begin, 99 * options.look + options.deadline);
}

// As at its second start: what an earlier one was told is forgotten, and asked for anew.
TEST_F(BecomeNodeTest, AStartOutOfTheWarmPoolJoinsAsAnyOther) {
  around.place = kPlace;
  around.rests = true;
  around.warm_is = true;
  const auto stopped = become_node(
      engine, around, options, clock, [](Milliseconds) { return false; },
      [](const std::string&) {});
  EXPECT_EQ(stopped.error().code, Errc::kCancelled);
  EXPECT_THAT(swarm_calls(), IsEmpty());
  around.rests = false;
  around.offers["10.0.0.1"] = kOffer;
  EXPECT_EQ(*run(), Became::kMember) << "its metadata may still say otherwise";
}

TEST_F(BecomeNodeTest, AnInterruptEndsIt) {
  const auto became = become_node(
      engine, around, options, clock, [](Milliseconds) { return false; },
      [](const std::string&) {});
  EXPECT_EQ(became.error().code, Errc::kCancelled);
}

}  // namespace
}  // namespace hive::boot
