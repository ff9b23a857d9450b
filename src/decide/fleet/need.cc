#include "decide/fleet/need.h"

#include <algorithm>

namespace hive::decide::fleet {
namespace {

std::string count_of(int count, const std::string& service) {
  return std::to_string(count) + (count == 1 ? " replica of " : " replicas of ") + service;
}

Shape smaller(const Shape& a, const model::Node& b) {
  const auto least = [](std::int64_t x, std::int64_t y) {
    return x == 0 || (y != 0 && y < x) ? y : x;
  };
  return {least(a.nano_cpus, b.nano_cpus), least(a.memory_bytes, b.memory_bytes)};
}

}  // namespace

Need need(const NeedAsk& ask) {
  Need out;
  Room room(ask.snapshot, ask.without);
  std::map<const model::Service*, int> rest;
  for (const auto& [id, wanted] : ask.wants) {
    const auto service = ask.snapshot.services.find(id);
    if (service == ask.snapshot.services.end()) continue;
    const int missing = std::max(0, wanted - room.placed(id));
    const int left = missing - room.place(service->second, missing);
    if (left == 0) continue;
    if (!Room::fits_fresh(service->second, ask.shape)) {
      out.unplaceable += left;
      out.impossible.push_back(count_of(left, service->second.name) +
                               " fit on no worker, not even on an empty one");
      continue;
    }
    rest.emplace(&service->second, left);
    out.waiting += left;
    out.what += (out.what.empty() ? "" : ", ") + count_of(left, service->second.name);
  }
  for (int i = 0; i < ask.coming; ++i) room.add_fresh(ask.shape);
  for (auto& [service, left] : rest) {
    left -= room.place(*service, left);
    while (left > 0 && out.nodes < ask.most) {
      room.add_fresh(ask.shape);
      ++out.nodes;
      left -= room.place(*service, left);
    }
  }
  return out;
}

Shape worker_shape(const model::Snapshot& snapshot) {
  Shape workers;
  Shape all;
  bool any = false;
  for (const auto& [id, node] : snapshot.nodes) {
    all = smaller(all, node);
    if (node.role != model::Role::kWorker) continue;
    workers = smaller(workers, node);
    any = true;
  }
  return any ? workers : all;
}

}  // namespace hive::decide::fleet
