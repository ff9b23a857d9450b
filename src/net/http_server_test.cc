#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>

#include "net/http_client.h"

namespace hive::net {
namespace {

using ::testing::HasSubstr;

std::string temporary_directory() {
  std::string path = "/tmp/hive-http-XXXXXX";
  return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
}

ServerResponse echo(const ServerRequest& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& [key, value] : request.query) text += " " + key + "=" + value;
  return ServerResponse::json(text + " " + request.body);
}

std::string url(const HttpServer& server) {
  return "http://127.0.0.1:" + std::to_string(server.port());
}

ListenAt loopback() {
  ListenAt at;
  at.address = "127.0.0.1";
  return at;
}

Request get(std::string path) {
  Request request;
  request.path = std::move(path);
  return request;
}

TEST(HttpServer, AnswersWithDecodedPathQueryAndBody) {
  HttpServer server({}, echo);
  ASSERT_TRUE(server.start({loopback()}));
  HttpClient client({.base_url = url(server)});
  Request request = get("/a%20b?x=1&y=%41");
  request.method = "POST";
  request.body = "hello";
  const auto response = client.send(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "POST /a b x=1 y=A hello");
  EXPECT_EQ(server.counters().requests_total, 1U);
}

TEST(HttpServer, HandlersRunOnThePoolAndBeyondItsQueueAre503) {
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  std::promise<void> entered;
  ServerOptions options;
  options.workers = 1;
  options.max_queued_requests = 1;
  HttpServer server(options, [&](const ServerRequest& request) {
    if (request.path == "/slow") {
      entered.set_value();
      opened.wait();
    }
    return ServerResponse::json("done");
  });
  ASSERT_TRUE(server.start({loopback()}));
  std::thread slow([&] {
    HttpClient client({.base_url = url(server)});
    EXPECT_EQ(client.send(get("/slow"))->status, 200);
  });
  entered.get_future().wait();
  HttpClient client({.base_url = url(server)});
  EXPECT_EQ(client.send(get("/other"))->status, 503);
  gate.set_value();
  slow.join();
}

TEST(HttpServer, TooLargeABodyIs413) {
  ServerOptions options;
  options.max_body_bytes = 10;
  HttpServer server(options, echo);
  ASSERT_TRUE(server.start({loopback()}));
  HttpClient client({.base_url = url(server)});
  Request request = get("/");
  request.method = "POST";
  request.body = std::string(11, 'x');
  const auto response = client.send(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST(HttpServer, AThrowingHandlerIs500) {
  HttpServer server(
      {}, [](const ServerRequest&) -> ServerResponse { throw std::runtime_error("defect"); });
  ASSERT_TRUE(server.start({loopback()}));
  HttpClient client({.base_url = url(server)});
  EXPECT_EQ(client.send(get("/"))->status, 500);
}

TEST(HttpServer, UnixSocketIsPrivateAndNamesThePeersUser) {
  const std::string directory = temporary_directory();
  ListenAt at;
  at.unix_path = directory + "/s.sock";
  at.name = "root";
  HttpServer server({}, [](const ServerRequest& request) {
    return ServerResponse::json(request.peer.listener + " " +
                                std::to_string(request.peer.unix_uid.value_or(99999)));
  });
  ASSERT_TRUE(server.start({at}));
  struct stat status {};
  ASSERT_EQ(::stat(at.unix_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  HttpClient client({.base_url = "http://hive", .unix_socket = at.unix_path});
  const auto response = client.send(get("/"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "root " + std::to_string(::getuid()));
  HttpServer second({}, echo);
  const auto refused = second.start({at});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kAlreadyExists);
  server.stop();
  EXPECT_NE(::stat(at.unix_path.c_str(), &status), 0);
  ::rmdir(directory.c_str());
}

TEST(HttpServer, AdoptsAListeningSocket) {
  const std::string directory = temporary_directory();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = directory + "/adopted.sock";
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ListenAt at;
  at.fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(at.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(at.fd, 8), 0);
  HttpServer server({}, echo);
  ASSERT_TRUE(server.start({at}));
  HttpClient client({.base_url = "http://hive", .unix_socket = path});
  EXPECT_EQ(client.send(get("/x"))->body, "GET /x ");
  ::unlink(path.c_str());
  ::rmdir(directory.c_str());
}

TEST(HttpServer, PushesEventsUntilTheServerStops) {
  std::promise<std::shared_ptr<EventStream>> opened;
  HttpServer server({}, [&](const ServerRequest&) {
    ServerResponse response;
    response.on_stream = [&](std::shared_ptr<EventStream> stream) {
      opened.set_value(std::move(stream));
    };
    return response;
  });
  ASSERT_TRUE(server.start({loopback()}));
  std::string received;
  std::promise<void> both;
  std::thread reader([&] {
    HttpClient client({.base_url = url(server)});
    (void)client.stream(get("/"),
                        [&](std::string_view bytes) {
                          const bool before = received.find("data: two") != std::string::npos;
                          received += bytes;
                          if (!before && received.find("data: two\n\n") != std::string::npos)
                            both.set_value();
                          return true;
                        },
                        {});
  });
  auto stream = opened.get_future().get();
  EXPECT_TRUE(stream->push("a", "one\nmore"));
  EXPECT_TRUE(stream->push("", "two"));
  both.get_future().wait();
  server.stop();
  reader.join();
  EXPECT_THAT(received, HasSubstr("event: a\ndata: one\ndata: more\n\ndata: two\n\n"));
  EXPECT_FALSE(stream->push("", "late"));
}

TEST(HttpServer, DropsAClientThatDoesNotRead) {
  std::promise<std::shared_ptr<EventStream>> opened;
  ServerOptions options;
  options.max_stream_queue_bytes = 100'000;
  HttpServer server(options, [&](const ServerRequest&) {
    ServerResponse response;
    response.on_stream = [&](std::shared_ptr<EventStream> stream) {
      opened.set_value(std::move(stream));
    };
    return response;
  });
  const std::string directory = temporary_directory();
  ListenAt at;
  at.unix_path = directory + "/s.sock";
  ASSERT_TRUE(server.start({at}));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  at.unix_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  auto stream = opened.get_future().get();
  const std::string data(50'000, 'x');
  bool dropped = false;
  for (int i = 0; i < 1'000 && !dropped; ++i) dropped = !stream->push("", data);
  EXPECT_TRUE(dropped);
  EXPECT_EQ(server.counters().slow_streams_dropped_total, 1U);
  ::close(fd);
  server.stop();
  ::rmdir(directory.c_str());
}

// --- mutual TLS, with an authority made by the openssl command
class MutualTls : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = temporary_directory();
    authority("ca");
    authority("other");
    leaf("server", "ca", "/OU=swarm-manager/CN=node-1");
    leaf("worker", "ca", "/OU=swarm-worker/CN=node-7");
    leaf("stranger", "other", "/OU=swarm-worker/CN=node-7");
  }
  void TearDown() override { run("rm -rf " + directory_); }

  void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }
  std::string file(const std::string& name) { return directory_ + "/" + name; }
  void authority(const std::string& name) {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
        name + " -keyout " + file(name + ".key") + " -out " + file(name + ".crt") + " 2>/dev/null");
  }
  void leaf(const std::string& name, const std::string& ca, const std::string& subject) {
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj " + subject +
        " -keyout " + file(name + ".key") + " -out " + file(name + ".csr") + " 2>/dev/null");
    run("openssl x509 -req -days 2 -in " + file(name + ".csr") + " -CA " + file(ca + ".crt") +
        " -CAkey " + file(ca + ".key") + " -CAcreateserial -out " + file(name + ".crt") +
        " 2>/dev/null");
  }
  ListenAt door() {
    ListenAt at = loopback();
    at.tls = ServerTls{file("server.crt"), file("server.key"), file("ca.crt")};
    return at;
  }
  Target target(const HttpServer& server, const std::string& client) {
    Target out;
    out.base_url = "https://127.0.0.1:" + std::to_string(server.port());
    out.tls = {file("ca.crt"), file(client + ".crt"), file(client + ".key"), "swarm-manager"};
    return out;
  }
  static ServerResponse who(const ServerRequest& request) {
    return ServerResponse::json(request.peer.ou + "/" + request.peer.cn);
  }
  std::string directory_;
};

TEST_F(MutualTls, TellsTheHandlerWhoThePeerIs) {
  HttpServer server({}, who);
  ASSERT_TRUE(server.start({door()}));
  HttpClient client(target(server, "worker"));
  const auto response = client.send(get("/"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "swarm-worker/node-7");
}

TEST_F(MutualTls, RefusesACertificateOfAnotherAuthority) {
  HttpServer server({}, who);
  ASSERT_TRUE(server.start({door()}));
  HttpClient client(target(server, "stranger"));
  EXPECT_FALSE(client.send(get("/")));
  EXPECT_EQ(server.counters().requests_total, 0U);
}

TEST_F(MutualTls, UsesRenewedCertificatesWithoutARestart) {
  HttpServer server({}, who);
  ASSERT_TRUE(server.start({door()}));
  // The authority is exchanged whole: what was a stranger is trusted now.
  leaf("server", "other", "/OU=swarm-manager/CN=node-1");
  run("cp " + file("other.crt") + " " + file("ca.crt"));
  HttpClient client(target(server, "stranger"));
  const auto response = client.send(get("/"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "swarm-worker/node-7");
}

}  // namespace
}  // namespace hive::net
