#include "controller/operations_api.h"

#include "net/http_client.h"

namespace hive::controller {
namespace {

using net::ServerRequest;
using net::ServerResponse;

constexpr Milliseconds kForwardDeadline{10'000};

int status_of(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
      return 400;
    case Errc::kUnauthenticated:
      return 401;
    case Errc::kPermissionDenied:
      return 403;
    case Errc::kNotFound:
      return 404;
    case Errc::kAlreadyExists:
    case Errc::kConflict:
    case Errc::kFailedPrecondition:
    case Errc::kUnsupported:
      return 409;
    case Errc::kThrottled:
    case Errc::kResourceExhausted:
      return 429;
    case Errc::kUnavailable:
      return 503;
    case Errc::kDeadlineExceeded:
      return 504;
    case Errc::kCorrupt:
    case Errc::kCancelled:
    case Errc::kInternal:
      break;
  }
  return 500;
}

std::string id_in(const std::string& path) {
  const std::string prefix = std::string(kOperationsPath) + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : std::string();
}

Result<OperationRequest> request_from(const ServerRequest& request, const std::string& here) {
  HIVE_ASSIGN(const Json json, parse_json(request.body, "the request"));
  if (!json.is_object()) return fail(Errc::kInvalidArgument, "the request is no JSON object");
  OperationRequest out;
  out.id = json_string(json, "id");
  out.kind = json_string(json, "kind");
  out.by = json_string(json, "by", here.empty() ? "root" : "root on " + here);
  const Json* details = json_member(json, "request");
  out.request = details == nullptr ? Json::object() : *details;
  return out;
}

ServerResponse create(const Controller& controller, Operations& operations,
                      const ServerRequest& request) {
  auto created =
      request_from(request, controller.self_hostname())
          .and_then([&](const OperationRequest& asked) { return operations.create(asked); });
  if (!created) return error_response(created.error());
  return json_response(created->operation, created->existed ? 200 : 201);
}

}  // namespace

bool is_operations_path(const std::string& path) {
  return path == kOperationsPath || path.starts_with(std::string(kOperationsPath) + "/");
}

ServerResponse json_response(const Json& json, int status) {
  return ServerResponse::json(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
                              status);
}

ServerResponse error_response(const Error& error) {
  return json_response({{"error", error.message}, {"code", to_string(error.code)}},
                       status_of(error.code));
}

ServerResponse not_leader(const Controller& controller) {
  const auto leader = controller.leader();
  const std::string where =
      leader ? leader->hostname + " at " + leader->address + " does" : "nobody does at the moment";
  return error_response(
      {Errc::kUnavailable, "this controller does not act for the swarm; " + where, std::nullopt});
}

ServerResponse answer_operations(const Controller& controller, Operations& operations,
                                 const ServerRequest& request) {
  if (!controller.acts()) return not_leader(controller);
  const std::string id = id_in(request.path);
  const auto one = [](const Result<Json>& json) {
    return json ? json_response(*json) : error_response(json.error());
  };
  if (request.method == "GET")
    return id.empty() ? json_response(operations.list()) : one(operations.get(id));
  if (request.method == "POST" && id.empty()) return create(controller, operations, request);
  if (request.method == "DELETE" && !id.empty()) return one(operations.cancel(id));
  return ServerResponse::error(405, "operations are posted, read (GET) and cancelled (DELETE)");
}

ServerResponse forward_operations(const Controller& controller, const std::string& certificates,
                                  const ServerRequest& request) {
  const auto leader = controller.leader();
  if (!leader || leader->address.empty()) return not_leader(controller);
  net::HttpClient client(
      {.base_url = "https://" + leader->address + ":" + std::to_string(agent::kControllerPort),
       .tls = {.ca_file = certificates + "/swarm-root-ca.crt",
               .certificate_file = certificates + "/swarm-node.crt",
               .key_file = certificates + "/swarm-node.key",
               .required_peer_ou = "swarm-manager"}});
  net::Request out;
  out.method = request.method;
  out.path = request.path;
  out.deadline = kForwardDeadline;
  if (request.method == "POST") {
    auto asked = request_from(request, controller.self_hostname());
    if (!asked) return error_response(asked.error());
    out.headers.emplace("content-type", "application/json");
    out.body = Json{{"id", asked->id},
                    {"kind", asked->kind},
                    {"by", asked->by},
                    {"request", asked->request}}
                   .dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  auto answer = client.send(out);
  if (!answer)
    return error_response(annotate(answer.error(), "asking the leader, " + leader->hostname +
                                                       " at " + leader->address)
                              .value());
  return ServerResponse::json(std::move(answer->body), answer->status);
}

}  // namespace hive::controller
