#include "cloud/aws/board.h"

#include <algorithm>

#include "base/base64.h"
#include "base/sha256.h"
#include "cloud/aws/account.h"

namespace hive::cloud::aws {
namespace {

constexpr const char* kFounder = "founder";
constexpr const char* kStatus = "status";
constexpr const char* kStack = "stack";
constexpr std::size_t kMostWaiting = 10;

std::string piece_name(std::size_t number) { return "stack/" + std::to_string(number); }

// Contents may be any bytes.
std::string packed(const StackFiles& files) {
  Json json = Json::object();
  for (const auto& [name, content] : files) json[name] = base64_encode(content);
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::vector<std::string> texts(const Json& json, const char* key) {
  std::vector<std::string> out;
  if (const Json* list = json_member(json, key); list != nullptr && list->is_array())
    for (const auto& one : *list)
      if (one.is_string()) out.push_back(one.get<std::string>());
  return out;
}

}  // namespace

Json to_json(const SwarmPlace& place) {
  return {{"id", place.id}, {"ca", place.ca}, {"managers", place.managers}};
}

Result<SwarmPlace> swarm_place_from_json(const Json& json) {
  SwarmPlace out{json_string(json, "id"), json_string(json, "ca"), texts(json, "managers")};
  if (out.id.empty() || out.ca.empty() || out.managers.empty())
    return fail(Errc::kCorrupt, "the notice of the Swarm lacks its id, authority or managers");
  return out;
}

bool ClusterStatus::says_the_same(const ClusterStatus& other) const {
  Json one = to_json(*this);
  Json two = to_json(other);
  one.erase("unix_s");
  two.erase("unix_s");
  return one == two;
}

Json to_json(const ClusterStatus& status) {
  const auto end = std::min(status.waiting.size(), kMostWaiting);
  return {{"swarm", status.swarm},
          {"managers_ready", status.managers_ready},
          {"workers_ready", status.workers_ready},
          {"waiting",
           std::vector<std::string>(status.waiting.begin(),
                                    status.waiting.begin() + static_cast<std::ptrdiff_t>(end))},
          {"revision", status.revision},
          {"stack", status.stack},
          {"message", status.message.substr(0, 1'500)},
          {"unix_s", status.unix_s}};
}

ClusterStatus cluster_status_from_json(const Json& json) {
  ClusterStatus out{.swarm = json_string(json, "swarm")};
  out.managers_ready = static_cast<std::uint32_t>(json_int(json, "managers_ready"));
  out.workers_ready = static_cast<std::uint32_t>(json_int(json, "workers_ready"));
  out.waiting = texts(json, "waiting");
  out.revision = json_string(json, "revision");
  out.stack = json_string(json, "stack");
  out.message = json_string(json, "message");
  out.unix_s = json_int(json, "unix_s");
  return out;
}

std::string revision_of(const StackFiles& files, const std::string& asking) {
  return sha256_hex(packed(files)).substr(0, 16) + "." + asking;
}

// --- one notice

Result<std::optional<std::string>> Board::read(const std::string& name) {
  auto found = get_parameter(client_, names_.parameter_prefix + name);
  if (found) return std::optional<std::string>(found->reveal());
  if (found.error().code == Errc::kNotFound) return std::optional<std::string>();
  return tl::unexpected(std::move(found).error());
}

Result<std::optional<Json>> Board::read_json(const std::string& name) {
  HIVE_ASSIGN(const auto text, read(name));
  if (!text) return std::optional<Json>();
  auto json = parse_json(*text, "the notice");
  // It may hold what is not for a log.
  if (!json) return fail(Errc::kCorrupt, "the notice " + name + " is no JSON");
  return std::optional<Json>(std::move(*json));
}

Status Board::write(const std::string& name, const std::string& value) {
  return put_parameter(client_, names_.parameter_prefix + name, os::Secret(value));
}

Status Board::remove(const std::string& name) {
  auto done = delete_parameter(client_, names_.parameter_prefix + name);
  if (!done && done.error().code != Errc::kNotFound) return done;
  return {};
}

// --- the founder, the Swarm, its state

Result<std::optional<std::string>> Board::founder() { return read(kFounder); }

Result<std::string> Board::found(const std::string& instance) {
  const auto made = put_parameter(client_, names_.parameter_prefix + kFounder, os::Secret(instance),
                                  Overwrite::kNever);
  if (made) return instance;
  if (made.error().code != Errc::kAlreadyExists) return tl::unexpected(made.error());
  HIVE_ASSIGN(const auto there, founder());
  if (there) return *there;
  return fail(Errc::kUnavailable, "the founder's notice comes and goes; try again");
}

Status Board::forget_founder() { return remove(kFounder); }

Result<std::optional<SwarmPlace>> Board::swarm() {
  HIVE_ASSIGN(const auto json, read_json(kSwarmNotice));
  if (!json) return std::optional<SwarmPlace>();
  HIVE_ASSIGN(auto place, swarm_place_from_json(*json));
  return std::optional<SwarmPlace>(std::move(place));
}

Status Board::put_swarm(const SwarmPlace& place) {
  return write(kSwarmNotice, to_json(place).dump());
}

Result<std::optional<ClusterStatus>> Board::status() {
  HIVE_ASSIGN(const auto json, read_json(kStatus));
  if (!json) return std::optional<ClusterStatus>();
  return std::optional<ClusterStatus>(cluster_status_from_json(*json));
}

Status Board::put_status(const ClusterStatus& status) {
  return write(kStatus, to_json(status).dump(-1, ' ', false, Json::error_handler_t::replace));
}

// --- the stack

Result<std::optional<std::string>> Board::stack_revision() {
  HIVE_ASSIGN(const auto head, read_json(kStack));
  if (!head) return std::optional<std::string>();
  return std::optional<std::string>(json_string(*head, "revision"));
}

Result<std::size_t> Board::pieces() {
  auto head = read_json(kStack);
  if (!head && head.error().code == Errc::kCorrupt) return kMostPieces;
  if (!head) return tl::unexpected(head.error());
  if (!*head) return std::size_t{0};
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(json_int(**head, "pieces"), 0, kMostPieces));
}

Result<std::optional<Stack>> Board::stack() {
  HIVE_ASSIGN(const auto head, read_json(kStack));
  if (!head) return std::optional<Stack>();
  Stack out{json_string(*head, "revision"), {}};
  const auto count =
      static_cast<std::size_t>(std::clamp<std::int64_t>(json_int(*head, "pieces"), 0, kMostPieces));
  std::string whole;
  for (std::size_t i = 0; i < count; ++i) {
    HIVE_ASSIGN(const auto piece, read(piece_name(i)));
    if (!piece) return fail(Errc::kCorrupt, "the stack on the board lacks a piece");
    whole += *piece;
  }
  const auto files = parse_json(whole, "the stack");
  if (!files || !files->is_object())
    return fail(Errc::kCorrupt, "the stack on the board is no list of files");
  for (const auto& [name, content] : files->items()) {
    HIVE_ASSIGN(out.files[name],
                base64_decode(content.is_string() ? content.get<std::string>() : ""));
  }
  const auto dot = std::min(out.revision.find('.'), out.revision.size());
  if (dot == out.revision.size() ||
      revision_of(out.files, out.revision.substr(dot + 1)) != out.revision)
    return fail(Errc::kCorrupt, "the stack on the board is just being written");
  return std::optional<Stack>(std::move(out));
}

// The head last: who reads in between finds another revision than the head's, and looks again.
Status Board::put_stack(const StackFiles& files, const std::string& asking) {
  const std::string whole = packed(files);
  const std::size_t count = (whole.size() + kPieceBytes - 1) / kPieceBytes;
  if (count > kMostPieces)
    return fail(Errc::kResourceExhausted, "the Compose file and the files that it names have " +
                                              std::to_string(whole.size() * 3 / 4) +
                                              " bytes together: AWS's notice board "
                                              "takes " +
                                              std::to_string(kPieceBytes * kMostPieces * 3 / 4));
  HIVE_ASSIGN(const auto before, pieces());
  for (std::size_t i = 0; i < count; ++i)
    HIVE_TRY(write(piece_name(i), whole.substr(i * kPieceBytes, kPieceBytes)));
  HIVE_TRY(write(kStack, Json{{"revision", revision_of(files, asking)}, {"pieces", count}}.dump()));
  for (std::size_t i = count; i < before; ++i) HIVE_TRY(remove(piece_name(i)));
  return {};
}

Status Board::clear() {
  HIVE_ASSIGN(const auto count, pieces());
  // A run that was cut off may have left more pieces than the head tells: they are in a row.
  for (std::size_t i = 0; i < kMostPieces; ++i) {
    auto gone = delete_parameter(client_, names_.parameter_prefix + piece_name(i));
    if (gone) continue;
    if (gone.error().code != Errc::kNotFound) return gone;
    if (i >= count) break;
  }
  for (const char* name : {kStack, kStatus, kSwarmNotice, kFounder}) HIVE_TRY(remove(name));
  return {};
}

}  // namespace hive::cloud::aws
