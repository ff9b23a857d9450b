#include "edge/haproxy/slots.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <sstream>

#include "base/random.h"

namespace hive::edge::haproxy {
namespace {

using Address = std::pair<std::string, std::uint16_t>;

Slot serving(std::string address, std::uint16_t port, SlotState state = SlotState::kReady) {
  Slot slot;
  slot.address = std::move(address);
  slot.port = port;
  slot.state = state;
  return slot;
}

// HAProxy, as far as these commands go. It refuses to move a server that takes requests.
class Proxy {
 public:
  explicit Proxy(std::vector<Slot> slots) : slots_(std::move(slots)) {}

  void run(const std::string& command) {
    std::istringstream words(command);
    std::string set, kind, server, what, value, word, port;
    words >> set >> kind >> server >> what >> value;
    ASSERT_EQ(set + " " + kind, "set server") << command;
    ASSERT_EQ(server.rfind("b/s", 0), 0u) << command;
    Slot& slot = slots_.at(std::stoul(server.substr(3)) - 1);
    if (what == "addr") {
      ASSERT_EQ(slot.state, SlotState::kMaint) << "moved while it serves: " << command;
      ASSERT_TRUE(words >> word >> port && word == "port") << command;
      slot.address = value;
      slot.port = static_cast<std::uint16_t>(std::stoul(port));
    } else if (what == "weight") {
      slot.weight = std::stoi(value);
    } else {
      ASSERT_EQ(what, "state") << command;
      slot.state = value == "ready"   ? SlotState::kReady
                   : value == "drain" ? SlotState::kDrain
                                      : SlotState::kMaint;
      ASSERT_TRUE(value == "ready" || value == "drain" || value == "maint") << command;
    }
  }
  const std::vector<Slot>& slots() const { return slots_; }

 private:
  std::vector<Slot> slots_;
};

void carry_out(Proxy& proxy, const SlotPlan& plan) {
  for (const SlotChange& change : plan.changes)
    for (const std::string& command : commands_for("b/s" + std::to_string(change.index + 1),
                                                   proxy.slots()[change.index], change.to))
      proxy.run(command);
}

// What takes requests, old sessions included.
std::map<Address, Slot> in_service(const std::vector<Slot>& slots) {
  std::map<Address, Slot> out;
  for (Slot slot : slots) {
    if (slot.state == SlotState::kMaint) continue;
    slot.busy = false;
    EXPECT_TRUE(out.emplace(Address{slot.address, slot.port}, slot).second)
        << slot.address << ":" << slot.port << " is served by two slots";
  }
  return out;
}

std::vector<Slot> some_servers(Random& random, std::size_t at_most) {
  std::vector<Slot> out;
  std::set<std::uint16_t> ports;
  const std::size_t count = random.below(at_most + 1);
  while (out.size() < count) {
    const auto port = static_cast<std::uint16_t>(32'768 + random.below(60));
    if (!ports.insert(port).second) continue;
    Slot slot = serving("10.0.0.1", port);
    if (random.below(4) == 0) slot.state = SlotState::kDrain;
    if (random.below(4) == 0) slot.weight = static_cast<int>(1 + random.below(200));
    out.push_back(slot);
  }
  return out;
}

TEST(Slots, ArePowersOfTwo) {
  EXPECT_EQ(slots_needed(0), kMinSlots);
  EXPECT_EQ(slots_needed(kMinSlots), kMinSlots);
  EXPECT_EQ(slots_needed(kMinSlots + 1), 2 * kMinSlots);
  EXPECT_EQ(slots_needed(1'000), 1'024u);
}

TEST(Slots, WhatServesKeepsItsSlotWhenOthersComeAndGo) {
  std::vector<Slot> actual(4);
  actual[0] = serving("10.0.0.1", 1000);
  actual[1] = serving("10.0.0.2", 1000);
  const SlotPlan plan = plan_slots(actual, {serving("10.0.0.3", 1000), serving("10.0.0.2", 1000)});
  EXPECT_EQ(plan.placed, (std::vector<std::size_t>{2, 1}));
  Slot gone = actual[0];
  gone.state = SlotState::kMaint;
  EXPECT_EQ(plan.changes, (std::vector<SlotChange>{{2, serving("10.0.0.3", 1000)}, {0, gone}}));
}

TEST(Slots, OneThatStillServesOldRequestsIsReusedLast) {
  std::vector<Slot> actual(3);
  actual[0] = serving("10.0.0.1", 1000, SlotState::kMaint);
  actual[0].busy = true;
  actual[1] = serving("10.0.0.2", 1000, SlotState::kMaint);
  const auto placed = [&](const std::vector<Slot>& wanted) {
    return plan_slots(actual, wanted).placed;
  };
  EXPECT_EQ(placed({serving("10.0.0.9", 1)}), (std::vector<std::size_t>{2}));
  EXPECT_EQ(placed({serving("10.0.0.9", 1), serving("10.0.0.8", 1)}),
            (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(placed({serving("10.0.0.9", 1), serving("10.0.0.8", 1), serving("10.0.0.7", 1)}),
            (std::vector<std::size_t>{2, 1, 0}));
}

TEST(Slots, OneThatComesBackGetsItsOldSlot) {
  std::vector<Slot> actual(3);
  actual[2] = serving("10.0.0.1", 1000, SlotState::kMaint);
  const SlotPlan plan = plan_slots(actual, {serving("10.0.0.1", 1000)});
  EXPECT_EQ(plan.placed, (std::vector<std::size_t>{2}));
  EXPECT_EQ(commands_for("b/s3", actual[2], plan.changes.at(0).to),
            (std::vector<std::string>{"set server b/s3 state ready"}));
}

TEST(Slots, AServerMovesOnlyWhileItTakesNoRequests) {
  EXPECT_EQ(commands_for("b/s1", serving("10.0.0.1", 1), serving("10.0.0.2", 2)),
            (std::vector<std::string>{"set server b/s1 state maint",
                                      "set server b/s1 addr 10.0.0.2 port 2",
                                      "set server b/s1 state ready"}));
}

TEST(Slots, NoChangeIsNoCommand) {
  EXPECT_TRUE(commands_for("b/s1", serving("10.0.0.1", 1), serving("10.0.0.1", 1)).empty());
}

// Over long random histories: after each plan the proxy serves exactly what is wanted, what served
// before and is wanted still has not moved, and a second plan has nothing to do.
TEST(Slots, AnyHistoryEndsInWhatIsWanted) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int history = 0; history < 50; ++history) {
    Proxy proxy{std::vector<Slot>(kMinSlots)};
    for (int step = 0; step < 20; ++step) {
      const std::vector<Slot> before = proxy.slots();
      const std::vector<Slot> wanted = some_servers(random, kMinSlots);
      const SlotPlan plan = plan_slots(before, wanted);
      carry_out(proxy, plan);
      ASSERT_EQ(in_service(proxy.slots()), in_service(wanted));
      ASSERT_EQ(plan.placed.size(), wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_EQ(proxy.slots()[plan.placed[i]], wanted[i]);
        for (std::size_t s = 0; s < before.size(); ++s) {
          const bool same = before[s].state != SlotState::kMaint &&
                            before[s].address == wanted[i].address &&
                            before[s].port == wanted[i].port;
          ASSERT_TRUE(!same || plan.placed[i] == s) << "a serving task changed its slot";
        }
      }
      ASSERT_TRUE(plan_slots(proxy.slots(), wanted).changes.empty());
    }
  }
}

}  // namespace
}  // namespace hive::edge::haproxy
