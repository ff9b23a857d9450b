// How many more workers the replicas need that find no place, all at once. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "decide/placement/room.h"

namespace hive::decide::fleet {

using placement::Room;
using placement::Shape;

// How many replicas services shall have, by id; of those that ask for nothing, none.
using Wants = std::map<std::string, int>;

struct Need {
  int nodes = 0;                        // beyond those that are there and those that come
  int waiting = 0;                      // replicas that have no place today
  std::string what;                     // "3 replicas of shop_web"; the services that wait
  int unplaceable = 0;                  // replicas that no worker would take, not even an empty one
  std::vector<std::string> impossible;  // of those, sentences
};

struct NeedAsk {
  const model::Snapshot& snapshot;
  const Wants& wants;
  std::set<std::string> without;  // nodes that shall go
  Shape shape;                    // of a worker
  int coming = 0;                 // workers that start or boot
  int most = 0;                   // no more nodes than so many are counted
};
Need need(const NeedAsk& ask);

// What a new worker will have: as the smallest that is there, or else the smallest node.
Shape worker_shape(const model::Snapshot& snapshot);

}  // namespace hive::decide::fleet
