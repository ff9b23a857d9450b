#include "cli/controller_api.h"

#include "net/http_client.h"

namespace hive::cli {
namespace {

std::string url_of(const std::string& address) { return "http://" + address + ":7070"; }

}  // namespace

Result<std::vector<std::string>> manager_addresses(engine::Engine& engine) {
  HIVE_ASSIGN(const auto nodes, engine.list_nodes());
  std::vector<std::string> addresses;
  for (const auto& node : nodes) {
    if (node.role != model::Role::kManager || node.state == model::NodeState::kDown) continue;
    const std::string address =
        node.manager_address.empty()
            ? node.address
            : node.manager_address.substr(0, node.manager_address.rfind(':'));
    // The leader first: it is the one that acts, and knows most.
    if (node.leader)
      addresses.insert(addresses.begin(), address);
    else
      addresses.push_back(address);
  }
  return addresses;
}

Result<Json> ask_controller(const std::vector<std::string>& addresses, const std::string& path) {
  std::string why = "no manager is ready";
  for (const auto& address : addresses) {
    net::HttpClient client({.base_url = url_of(address)});
    const auto response = client.send({.path = path, .deadline = Milliseconds(5'000)});
    if (response && response->status == 200) return parse_json(response->body, path);
    why = address + ": " +
          (response ? "HTTP status " + std::to_string(response->status) : response.error().message);
  }
  return fail(Errc::kUnavailable, "no controller answers (" + why + ")");
}

}  // namespace hive::cli
