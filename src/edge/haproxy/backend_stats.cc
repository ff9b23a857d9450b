#include "edge/haproxy/backend_stats.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "edge/haproxy/config.h"

namespace hive::edge::haproxy {

std::vector<model::BackendStats> backend_stats(const model::RoutingTable& table,
                                               const std::vector<ServerRow>& rows) {
  std::map<std::string_view, const ServerRow*> whole, passed_on;
  for (const ServerRow& row : rows) {
    if (row.server == kWholeBackend) whole[row.backend] = &row;
    if (row.server == kRegulars) passed_on[row.backend] = &row;
  }
  std::vector<model::BackendStats> result;
  for (const model::Backend& backend : table.backends) {
    model::BackendStats sum{.name = backend.name};
    for (const std::string& name : names_of(backend))
      if (const auto row = whole.find(name); row != whole.end()) {
        sum.rate += row->second->rate;
        sum.queued += row->second->queued;
        // Counted among all as well.
        if (const auto on = passed_on.find(name); on != passed_on.end())
          sum.rate -= std::min(on->second->rate, row->second->rate);
      }
    result.push_back(std::move(sum));
  }
  return result;
}

}  // namespace hive::edge::haproxy
