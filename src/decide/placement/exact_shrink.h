// Stop, then shrink: taking chosen slots out of a replicated service of a Swarm that picks for
// itself. The chosen task's container is stopped through its agent; Swarm plans a replacement,
// which waits for the restart delay; a scale to one less within that time removes that slot, where
// it comes first in Swarm's own order. With the window missed, look again and repeat.
//
// Swarm's order: each slot is counted as the nth of the service on its node, those that run before
// those that do not; the highest n goes, and what has no node before all. So a slot that does not
// run goes only where no node has more that do. Where one has (the service is unevenly spread), a
// shrink would end a task that runs, with one too few until the stopped one is back. Where the
// tasks that are still being stopped make the difference, the shrink waits for them; elsewhere the
// stopped slot is let run again, and then Swarm takes from the fullest node as it likes: there are
// never fewer than the target, and the stops that it orders are held like all others. A stopped
// slot that Swarm is just finding a node for is waited for: its place in the order is about to
// change.
//
// Swarm may forget a removal: where the task that it wants to remove changes in the same moment, it
// logs "failed to update task to REMOVE: update out of sequence" and does not try again until the
// service is written anew. So, where more slots live than are written for some time, the same
// number is written once more.
//
// Pure and level-triggered: each step is made from one look. The only memory is which slots were
// chosen. The replicas to write are counted from the slots that are to remain, never by one less
// than what is written: a step that is repeated, after a crash or from an old look, asks for the
// same number again.
//
// Source: tried on Docker 20.10 (the forgotten removal seen there, under load); swarmkit
// manager/orchestrator/replicated/services.go and slot.go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "decide/placement/slots.h"
#include "decide/placement/victims.h"

namespace hive::decide::placement {

// With a shorter restart delay a slot may run again before the shrink is there.
inline constexpr std::int64_t kShortestRestartDelayMs = 5'000;
// So much of the restart delay must be left when the shrink is sent.
inline constexpr std::int64_t kWindowMarginMs = 1'500;

// Swarm's scheduler gathers what is new for up to a second before it places it. What has no node
// after so long does not get one soon.
inline constexpr std::int64_t kPlacingMs = 1'500;

// Swarm removes what is too many within moments of the write; after so long it has forgotten. Less
// than the shortest restart delay: it is asked again before what it forgot runs anew.
inline constexpr std::int64_t kForgottenMs = 2'500;

struct ShrinkLook {
  std::int64_t now_unix_ms = 0;  // of the leader's clock, as Swarm's own times are
  std::uint64_t replicas = 0;    // in the service's spec
  std::uint64_t target = 0;
  std::int64_t surplus_ms = 0;  // for how long more slots have lived than are written
  std::int64_t restart_delay_ms = 5'000;
  std::vector<Slot> slots;          // live_slots()
  std::vector<std::int64_t> among;  // only these may be chosen; empty = any
  // Those whose task is still where it must not be: they are stopped in any case.
  std::vector<std::int64_t> leaving;
  bool uneven = false;  // an earlier step said so
};

struct ShrinkStep {
  std::vector<Victim> victims;             // to be given to the next step
  std::vector<Victim> chosen;              // by this step, of those
  std::vector<std::string> stop;           // task ids to be stopped, as long as each step says so
  std::optional<std::uint64_t> scale_to;   // now; fenced by the version of the look's service
  std::optional<Milliseconds> look_again;  // a moment that must not be missed
  std::size_t stopping = 0;                // victims that are not gone yet
  bool uneven = false;                     // Swarm would take others; to be given to the next step
  bool done = false;
};

ShrinkStep shrink(const std::vector<Victim>& victims, const ShrinkLook& look);

}  // namespace hive::decide::placement
