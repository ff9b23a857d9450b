// The releases of a service: which specs it has had, since when, on whose word, and how they did.
// Swarm itself keeps one earlier spec only, and every update, a scale too, overwrites it: after a
// scale `docker service rollback` goes back to another number of tasks of the same version. Here a
// release is a version; how many tasks there are is no part of it.
//
// Pure: how they are kept in Swarm is keeper.h's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hive::release {

inline constexpr std::size_t kMaxReleases = 20;       // the oldest beyond go
inline constexpr std::size_t kMaxBytes = 256U << 10;  // of all specs together

enum class Outcome {
  kRunning,    // being rolled out
  kSucceeded,  // it served, until the next one
  kUndone,     // hive took it back
  kFound,      // it was there when hive looked: made by create, a stack's deploy, or by other means
};

struct Release {
  std::uint64_t number = 0;  // from 1, never used again
  std::string image;         // with its digest, when that is known
  Json spec;                 // the service's whole spec, as it was written
  std::int64_t begun_unix_ms = 0;
  std::int64_t ended_unix_ms = 0;  // when the outcome was known; 0 = not yet
  std::string by;
  std::string why;        // "update --image shop:2", "rollback to release 3"
  std::string operation;  // the id of the one that rolled it out; the same is never begun twice
  Outcome outcome = Outcome::kRunning;
  std::string reason;  // of the outcome, one sentence
  bool operator==(const Release&) const = default;
};

struct Releases {
  std::string service_id;
  std::string service_name;
  std::vector<Release> list;  // by rising number
  std::uint64_t next = 1;
  std::string config_id;      // empty = not kept yet
  std::uint64_t version = 0;  // of the config: the fence
};

std::string_view to_string(Outcome outcome);

// Equal for specs that give the same tasks and ports, whatever their number and whatever hive has
// noted on them.
Json essence(const Json& spec);

const Release* find(const Releases& releases, std::uint64_t number);
// The one that serves now: the newest that is good; nullptr when none is known.
const Release* current(const Releases& releases);
// Where a rollback without a number goes: the last good one before the current one that differs
// from it. nullptr when there is none.
const Release* previous(const Releases& releases);
bool good(const Release& release);

// Notes what a service is now, unless that is what the newest good release says. Returns its
// number.
std::uint64_t note_found(Releases& releases, const Json& spec, std::int64_t now_unix_ms);
// A release that is being rolled out; one of the same operation is there already, or is added.
std::uint64_t begin(Releases& releases, Release release);
// The outcome of the operation's release; the first word counts.
void end(Releases& releases, const std::string& operation, Outcome outcome,
         const std::string& reason, std::int64_t now_unix_ms);
// Forgets the oldest beyond the bounds, never the current one nor one that is being rolled out.
void trim(Releases& releases);

// The spec to write to go back to the release: its own, with the number of tasks of today.
// kUnsupported when it is of another mode (global, replicated).
Result<Json> spec_of(const Release& release, const Json& spec_now);

// As a Swarm config object: each release a label, since a config's data can never change.
Json config_spec(const Releases& releases);
std::string config_name(const std::string& service_id);
// kCorrupt names the config. Releases that do not parse are left out.
Result<Releases> from_config(const Json& config);

// For `service history --format json` and the API; without the spec.
Json release_json(const Release& release, bool is_current);

}  // namespace hive::release
