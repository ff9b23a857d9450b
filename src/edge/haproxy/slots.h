// The servers of one HAProxy backend as slots, and the pure rule that says which slots must change
// so that the backend equals what is wanted. A slot's identity is its address and port, so that the
// truth is always read from HAProxy itself and nothing need be remembered over a restart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hive::edge::haproxy {

inline constexpr std::size_t kMinSlots = 32;
inline constexpr std::string_view kNoAddress = "127.0.0.1";  // of a slot never used: port 1
inline constexpr std::uint16_t kNoPort = 1;

enum class SlotState { kMaint, kReady, kDrain };

struct Slot {
  std::string address{kNoAddress};
  std::uint16_t port = kNoPort;
  SlotState state = SlotState::kMaint;
  int weight = 100;
  bool busy = false;  // still serves requests of who had it before; not to be reused if avoidable
  bool operator==(const Slot&) const = default;
};

struct SlotChange {
  std::size_t index = 0;
  Slot to;
  bool operator==(const SlotChange&) const = default;
};

struct SlotPlan {
  std::vector<SlotChange> changes;
  std::vector<std::size_t> placed;  // wanted[i] lives in slot placed[i]
};

// Slots for so many servers: a power of two of at least kMinSlots.
std::size_t slots_needed(std::size_t servers);

// `wanted` has at most actual.size() entries, each address and port once. Servers that are wanted
// and present keep their slot; what is wanted no more goes to maint and keeps its address.
SlotPlan plan_slots(const std::vector<Slot>& actual, const std::vector<Slot>& wanted);

// The runtime API's commands for a change, in order. `server` = "backend/s3".
std::vector<std::string> commands_for(const std::string& server, const Slot& from, const Slot& to);

}  // namespace hive::edge::haproxy
