// Requests, responses and event streams as their handlers see them.
#include "net/http_server.h"

namespace hive::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view ServerRequest::header(std::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::shared_ptr<const std::string> EventStream::make_frame(std::string_view event,
                                                           std::string_view data) {
  auto frame = std::make_shared<std::string>();
  frame->reserve(event.size() + data.size() + 24);
  if (!event.empty()) frame->append("event: ").append(event).append("\n");
  for (;;) {
    const auto end = data.find('\n');
    frame->append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  frame->append("\n");
  return frame;
}

ServerResponse ServerResponse::json(std::string body, int status) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

ServerResponse ServerResponse::error(int status, std::string_view message) {
  std::string body = R"({"error":")";
  for (const char c : message) {
    if (c == '"' || c == '\\') body += '\\';
    body += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return json(body + "\"}\n", status);
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace hive::net
