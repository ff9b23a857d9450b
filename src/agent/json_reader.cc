#include "agent/json_reader.h"

#include "agent/protocol.h"

namespace hive::agent {

std::string dump_json(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Json> parse_message(std::string_view text, std::string_view what) {
  if (text.size() > kMaxMessageBytes)
    return fail(Errc::kCorrupt, std::string(what) + " is larger than " +
                                    std::to_string(kMaxMessageBytes) + " bytes");
  return parse_json(text, what);
}

}  // namespace hive::agent
