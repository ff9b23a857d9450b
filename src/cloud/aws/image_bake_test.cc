#include "cloud/aws/image_bake.h"

#include <gmock/gmock.h>

#include "base/random.h"

namespace hive::cloud::aws {
namespace {

using Kind = BakeStep::Kind;
using ::testing::HasSubstr;

Machine machine(const std::string& id, MachineState state) { return {.id = id, .state = state}; }

TEST(NextBakeStep, GoesOnFromWhatThereIs) {
  BakeLook look;
  EXPECT_EQ(next_bake_step(look)->kind, Kind::kLaunch);
  look.launched = true;
  look.machines = {machine("i-1", MachineState::kRunning)};
  EXPECT_EQ(next_bake_step(look)->kind, Kind::kWaitForMachine);
  look.machines = {machine("i-1", MachineState::kStopping)};
  EXPECT_EQ(next_bake_step(look)->kind, Kind::kWaitForMachine) << "its disk is still written";
  look.machines = {machine("i-1", MachineState::kStopped)};
  EXPECT_EQ(next_bake_step(look)->kind, Kind::kMakeImage);
  look.images = {{.id = "ami-1", .state = ImageState::kPending}};
  EXPECT_EQ(next_bake_step(look)->kind, Kind::kWaitForImage);
  look.images[0].state = ImageState::kAvailable;
  EXPECT_EQ(next_bake_step(look)->kind, Kind::kEndMachines);
  look.machines.clear();
  EXPECT_EQ(next_bake_step(look)->kind, Kind::kDone);
  EXPECT_EQ(next_bake_step(look)->subject, "ami-1");
}

TEST(NextBakeStep, SaysWhyItCannotGoOn) {
  BakeLook look;
  look.launched = true;
  EXPECT_THAT(next_bake_step(look).error().message, HasSubstr("ended before its image"));
  look.images = {{.id = "ami-1", .state = ImageState::kFailed, .problem = "disk on fire"}};
  EXPECT_THAT(next_bake_step(look).error().message,
              HasSubstr("disk on fire): remove it (aws ec2 deregister-image --image-id ami-1)"));
}

// A little AWS in which machines install, and images become available, in their time; runs are
// killed at any moment, and two may be at work.
TEST(NextBakeStep, RunsThatAreKilledEndInOneImageAndNoMachine) {
  const auto first = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  for (std::uint64_t seed = first; seed < first + 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<Image> images;
    std::vector<Machine> machines;
    bool launched[2] = {false, false};
    int done = 0;
    for (int turn = 0; turn < 400 && done < 2; ++turn) {
      for (auto& one : machines)
        if (one.state < MachineState::kStopped && random.below(4) == 0)
          one.state = one.state == MachineState::kRunning
                          ? MachineState::kStopping
                          : (one.state == MachineState::kPending ? MachineState::kRunning
                                                                 : MachineState::kStopped);
      if (!images.empty() && random.below(4) == 0) images[0].state = ImageState::kAvailable;
      const std::size_t who = random.below(2);
      if (random.below(6) == 0) launched[who] = false;  // killed, and run again
      const auto step = next_bake_step({images, machines, launched[who]});
      ASSERT_TRUE(step) << step.error().message;
      switch (step->kind) {
        case Kind::kLaunch:
          machines.push_back(machine("i-" + std::to_string(turn), MachineState::kPending));
          launched[who] = true;
          break;
        case Kind::kMakeImage:
          ASSERT_EQ(step->subject.substr(0, 2), "i-");
          if (images.empty()) images.push_back({.id = "ami-1", .state = ImageState::kPending});
          break;
        case Kind::kEndMachines:
          ASSERT_EQ(images.at(0).state, ImageState::kAvailable);
          machines.clear();
          break;
        case Kind::kDone:
          ++done;
          break;
        default:
          break;
      }
    }
    EXPECT_EQ(images.size(), 1U);
    EXPECT_TRUE(machines.empty());
    EXPECT_EQ(done, 2);
  }
}

}  // namespace
}  // namespace hive::cloud::aws
