#include "edge/haproxy/backend_stats.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "edge/haproxy/config.h"

namespace hive::edge::haproxy {

std::vector<model::BackendStats> backend_stats(const model::RoutingTable& table,
                                               const std::vector<ServerRow>& rows) {
  std::map<std::string_view, const ServerRow*> whole;
  for (const ServerRow& row : rows)
    if (row.server == kWholeBackend) whole[row.backend] = &row;
  std::vector<model::BackendStats> result;
  for (const model::Backend& backend : table.backends) {
    model::BackendStats sum{.name = backend.name};
    for (const std::string& name : names_of(backend))
      if (const auto row = whole.find(name); row != whole.end()) {
        sum.rate += row->second->rate;
        sum.queued += row->second->queued;
      }
    result.push_back(std::move(sum));
  }
  return result;
}

}  // namespace hive::edge::haproxy
