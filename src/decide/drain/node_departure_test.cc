#include "decide/drain/node_departure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace hive::decide::drain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Milliseconds kWithin{60'000};
const MonotonicTime kBegun = MonotonicTime{} + Milliseconds(1'000'000);

DepartureView at(std::int64_t ms, std::size_t containers, bool answers, bool schedulable) {
  DepartureView view;
  view.now = kBegun + Milliseconds(ms);
  view.containers = containers;
  view.controller_answers = answers;
  view.schedulable = schedulable;
  return view;
}

TEST(NodeDeparture, AControllerThatDrainsIsWaitedFor) {
  NodeDeparture departure(kBegun, kWithin);
  DepartureWish wish = departure.turn(at(0, 3, true, true));
  EXPECT_TRUE(wish.leave_balancer);
  EXPECT_TRUE(wish.ask_controller);
  EXPECT_FALSE(wish.stop_all);
  EXPECT_FALSE(departure.turn(at(6'000, 3, true, false)).stop_all);
  EXPECT_FALSE(departure.turn(at(35'000, 1, true, false)).stop_all);
  departure.turn(at(35'900, 0, true, false));
  EXPECT_TRUE(departure.done());
  EXPECT_THAT(departure.given_up(), IsEmpty());
}

TEST(NodeDeparture, WithoutAControllerTheAgentStopsItsTasks) {
  NodeDeparture departure(kBegun, kWithin);
  const DepartureWish wish = departure.turn(at(100, 2, false, true));
  EXPECT_TRUE(wish.stop_all);
  EXPECT_EQ(wish.stopped_until, kBegun + Milliseconds(54'000));
  EXPECT_THAT(departure.given_up(), ElementsAre(HasSubstr("no controller answers: 2 tasks")));
  departure.turn(at(9'000, 0, false, true));
  EXPECT_TRUE(departure.done());
}

TEST(NodeDeparture, AControllerThatDoesNotBeginIsGivenUp) {
  NodeDeparture departure(kBegun, kWithin);
  EXPECT_FALSE(departure.turn(at(4'900, 1, true, true)).stop_all);
  EXPECT_TRUE(departure.turn(at(5'000, 1, true, true)).stop_all);
  EXPECT_THAT(departure.given_up(), ElementsAre(HasSubstr("did not begin")));
}

TEST(NodeDeparture, ASurgeThatIsTooSlowIsCutShort) {
  NodeDeparture departure(kBegun, kWithin);
  EXPECT_FALSE(departure.turn(at(35'999, 2, true, false)).stop_all);
  EXPECT_TRUE(departure.turn(at(36'000, 2, true, false)).stop_all);
  departure.turn(at(54'000, 1, true, false));
  EXPECT_EQ(departure.step(), DepartureStep::kDone);
  EXPECT_THAT(departure.given_up(),
              ElementsAre(HasSubstr("2 tasks not replaced"), HasSubstr("1 task not stopped")));
}

TEST(NodeDeparture, AnEmptyNodeWaitsUntilItGetsNoNewTasks) {
  NodeDeparture departure(kBegun, kWithin);
  departure.turn(at(100, 0, true, true));
  EXPECT_EQ(departure.step(), DepartureStep::kSurging);
  departure.turn(at(1'000, 0, true, false));
  EXPECT_EQ(departure.step(), DepartureStep::kClosing);
}

TEST(NodeDeparture, TheEdgeStaysUntilTheBalancerHasNoticedAndNothingIsOpen) {
  NodeDeparture departure(kBegun, kWithin);
  departure.turn(at(1'000, 0, true, false));
  EXPECT_FALSE(departure.done());  // failing health checks take their time
  DepartureView open = at(6'000, 0, true, false);
  open.in_flight = 2;
  departure.turn(open);
  EXPECT_FALSE(departure.done());
  open.now = kBegun + kWithin;
  departure.turn(open);
  EXPECT_TRUE(departure.done());
  EXPECT_THAT(departure.given_up(), ElementsAre(HasSubstr("2 requests still open")));
}

TEST(NodeDeparture, StopsThatNobodyRecordedAreSaid) {
  NodeDeparture departure(kBegun, kWithin);
  DepartureView view = at(7'000, 0, true, false);
  view.unrecorded = 3;
  departure.turn(view);
  EXPECT_FALSE(departure.done());
  view.controller_answers = false;  // nobody will
  departure.turn(view);
  EXPECT_TRUE(departure.done());
  EXPECT_THAT(departure.given_up(), ElementsAre(HasSubstr("no controller recorded 3 stops")));
}

// Whatever happens it ends in its time, steps never go back, and an end before the last container's
// is said.
TEST(NodeDeparture, EndsInTimeAndSaysWhatWasLeft) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    NodeDeparture departure(kBegun, kWithin);
    std::size_t containers = random.below(5);
    bool answers = random.below(3) != 0;
    bool schedulable = true;
    DepartureStep last = DepartureStep::kSurging;
    std::int64_t ms = 0;
    for (; !departure.done(); ms += 100) {
      ASSERT_LE(ms, kWithin.count());
      if (random.below(100) == 0) answers = !answers;
      if (random.below(40) == 0) schedulable = false;
      if (containers > 0 && random.below(120) == 0) --containers;
      DepartureView view = at(ms, containers, answers, schedulable);
      view.in_flight = random.below(3);
      departure.turn(view);
      ASSERT_GE(departure.step(), last);
      last = departure.step();
    }
    if (containers > 0) {
      EXPECT_THAT(departure.given_up(), Not(IsEmpty()));
    }
  }
}

}  // namespace
}  // namespace hive::decide::drain
