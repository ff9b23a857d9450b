#include "net/server/request.h"

#include <exception>

#include "base/log.h"
#include "net/server/shared.h"

namespace hive::net::server {
namespace {

// A subject entry of a certificate, or empty.
std::string subject_entry(X509* certificate, int nid) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, nid, -1);
  if (index < 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

void split_target(std::string_view target, ServerRequest& request) {
  const auto mark = target.find('?');
  request.path = percent_decode(target.substr(0, mark));
  if (mark == std::string_view::npos) return;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (!pair.empty())
      request.query[percent_decode(pair.substr(0, equals))] =
          equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
}

void read_names(X509* certificate, Peer& peer) {
  peer.ou = subject_entry(certificate, NID_organizationalUnitName);
  peer.cn = subject_entry(certificate, NID_commonName);
}

std::string wire_form(unsigned version, unsigned status, std::string_view reason,
                      const boost::beast::http::fields& fields) {
  std::string out =
      "HTTP/" + std::to_string(version / 10) + "." + std::to_string(version % 10) + " ";
  out.append(std::to_string(status)).append(" ").append(reason).append("\r\n");
  for (const auto& field : fields) {
    out.append(field.name_string().data(), field.name_string().size()).append(": ");
    out.append(field.value().data(), field.value().size()).append("\r\n");
  }
  return out.append("\r\n");
}

ServerResponse call(const Handler& handler, const ServerRequest& request) {
  try {
    return handler(request);
  } catch (const std::exception& failure) {
    log::error(kComponent, "handler of {} {}: {}", request.method, request.path, failure.what());
    return ServerResponse::error(500, "internal error, see the log");
  }
}

}  // namespace hive::net::server
