// Which of a table's listeners can be served on this machine now: one whose certificate HAProxy
// takes, and whose port nobody else holds. The others are taken out of the table, so that the fault
// of one stops no other service's changes; each look begins anew, so what is repaired is served.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/routing.h"

namespace hive::edge::haproxy {

class Listeners {
 public:
  // `directory` is this edge's own, of mode 0700; `program` is HAProxy's path.
  Listeners(std::string directory, std::string program)
      : directory_(std::move(directory)), program_(std::move(program)) {}

  // Erases the listeners that cannot be served and gives the others' certificates the path of a
  // copy that is known to be good: a certificate that is replaced by a broken one goes on being
  // served, one that is renewed gets another path. `held`: the ports that this edge's own HAProxy
  // listens at. Returns what is wrong, for people, one entry a fault.
  std::vector<std::string> keep_servable(model::RoutingTable& table,
                                         const std::set<std::uint16_t>& held);

 private:
  struct Certificate {
    std::string stamp;  // of the file when it was last looked at
    std::string copy;   // path of the last good one; empty = there was none
    std::string fault;  // of the file as it is
  };
  const Certificate& look(const std::string& path);
  Status take(const std::string& path, Certificate& known);
  Status check(const std::filesystem::path& copy) const;

  std::string directory_;
  std::string program_;
  std::map<std::string, Certificate> certificates_;
};

// Ports of the listeners in a configuration that render_config() made.
std::set<std::uint16_t> listener_ports(const std::string& config);

}  // namespace hive::edge::haproxy
