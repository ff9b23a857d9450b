#include "logs/positions.h"

#include "base/json.h"

namespace hive::logs {
namespace {

constexpr int kVersion = 1;

Json encode(const OutputPosition& out) { return {{"name", out.name}, {"bytes", out.bytes}}; }

Json encode(const Position& at) {
  return {{"path", at.path},       {"device", at.id.device}, {"inode", at.id.inode},
          {"offset", at.offset},   {"base", at.base},        {"check", at.check},
          {"out", encode(at.out)}, {"err", encode(at.err)}};
}

std::uint64_t number(const Json& object, std::string_view key) {
  const Json* value = json_member(object, key);
  return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

OutputPosition decode_output(const Json* object) {
  if (object == nullptr) return {};
  return {json_string(*object, "name"), number(*object, "bytes")};
}

Position decode(const Json& object) {
  return {json_string(object, "path"),
          {number(object, "device"), number(object, "inode")},
          number(object, "offset"),
          number(object, "base"),
          json_string(object, "check"),
          decode_output(json_member(object, "out")),
          decode_output(json_member(object, "err"))};
}

}  // namespace

std::string encode_positions(const Positions& positions) {
  Json containers = Json::object();
  for (const auto& [id, container] : positions) {
    Json files = Json::array();
    for (const Position& at : container.files) files.push_back(encode(at));
    containers[id] = {{"finished_unix_s", container.finished_unix_s}, {"files", std::move(files)}};
  }
  // Paths are bytes, and need not be UTF-8.
  return Json{{"version", kVersion}, {"containers", std::move(containers)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

Result<Positions> decode_positions(std::string_view text) {
  HIVE_ASSIGN(const Json document, parse_json(text, "positions"));
  const Json* containers = json_member(document, "containers");
  if (json_int(document, "version") != kVersion || containers == nullptr ||
      !containers->is_object())
    return fail(Errc::kCorrupt, "positions of another version");
  Positions positions;
  for (const auto& [id, object] : containers->items()) {
    ContainerPositions& container = positions[id];
    container.finished_unix_s = json_int(object, "finished_unix_s");
    const Json* files = json_member(object, "files");
    if (files == nullptr || !files->is_array()) continue;
    for (const Json& file : *files) container.files.push_back(decode(file));
  }
  return positions;
}

}  // namespace hive::logs
