#include "net/http_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/testing/scripted_server.h"

namespace hive::net {
namespace {

using testing::answer;
using testing::Reply;
using testing::ScriptedRequest;
using testing::ScriptedServer;

Target target_of(const ScriptedServer& server) {
  Target target;
  if (server.port() != 0) {
    target.base_url = "http://127.0.0.1:" + std::to_string(server.port());
  } else {
    target.base_url = "http://host";
    target.unix_socket = server.socket_path();
  }
  return target;
}

Reply raw(const std::string& bytes, Reply::Then then = Reply::Then::kClose) {
  return Reply{{bytes}, then};
}

Result<Response> get_from(const Reply& reply, Request request = {}) {
  ScriptedServer server(ScriptedServer::Kind::kUnix, [&](const ScriptedRequest&) { return reply; });
  HttpClient client(target_of(server));
  request.path = "/x";
  return client.send(request);
}

Errc error_of(const Reply& reply, Request request = {}) {
  const auto result = get_from(reply, std::move(request));
  EXPECT_FALSE(result) << result->body;
  return result ? Errc::kInternal : result.error().code;
}

class HttpClientOverBoth : public ::testing::TestWithParam<ScriptedServer::Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, HttpClientOverBoth,
                         ::testing::Values(ScriptedServer::Kind::kUnix,
                                           ScriptedServer::Kind::kTcp));

TEST_P(HttpClientOverBoth, SendsMethodPathHeadersAndBody) {
  ScriptedServer server(GetParam(), [](const ScriptedRequest& request) {
    return answer(201,
                  request.method + " " + request.path + " " + request.headers.at("x-test") + " " +
                      request.body,
                  "X-Answer: Yes\r\n");
  });
  HttpClient client(target_of(server));
  Request request;
  request.method = "PUT";
  request.path = "/a%20b?c=d";
  request.headers.emplace("x-test", "one");
  request.body = "body";
  const auto response = client.send(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "PUT /a%20b?c=d one body");
  ASSERT_EQ(response->headers.count("x-answer"), 1u);
  EXPECT_EQ(response->headers.find("x-answer")->second, "Yes");
}

TEST_P(HttpClientOverBoth, ReusesItsConnection) {
  ScriptedServer server(GetParam(), [](const ScriptedRequest&) { return answer(200, "ok"); });
  HttpClient client(target_of(server));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.send(Request{.path = "/"}));
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, PostWithoutBodySaysSo) {
  ScriptedServer server(ScriptedServer::Kind::kUnix,
                        [](const ScriptedRequest&) { return answer(204, ""); });
  HttpClient client(target_of(server));
  ASSERT_TRUE(client.send(Request{.method = "POST", .path = "/start"}));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].headers.at("content-length"), "0");
  EXPECT_EQ(requests[0].headers.count("content-type"), 0u);
  EXPECT_EQ(requests[0].headers.count("expect"), 0u);
}

TEST(HttpClient, HeadHasNoBody) {
  const auto response =
      get_from(raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", Reply::Then::kKeepOpen),
               Request{.method = "HEAD"});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->headers.find("content-length")->second, "500");
}

TEST(HttpClient, StreamsABodyFromItsSource) {
  ScriptedServer server(ScriptedServer::Kind::kUnix,
                        [](const ScriptedRequest& request) { return answer(200, request.body); });
  HttpClient client(target_of(server));
  Request request;
  request.method = "POST";
  request.path = "/load";
  int piece = 0;
  request.body_source = [&](char* out, std::size_t) -> Result<std::size_t> {
    if (++piece > 3) return std::size_t{0};
    std::string_view("abc").copy(out, 3);
    return std::size_t{3};
  };
  const auto response = client.send(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "abcabcabc");
}

TEST(HttpClient, AFailingSourceIsTheError) {
  Request request;
  request.method = "POST";
  request.body_source = [](char*, std::size_t) -> Result<std::size_t> {
    return fail(Errc::kNotFound, "the archive went away");
  };
  EXPECT_EQ(error_of(answer(200, ""), request), Errc::kNotFound);
}

TEST(HttpClient, RefusesHeaderInjection) {
  Request request;
  request.headers.emplace("x", "a\r\nEvil: 1");
  EXPECT_EQ(error_of(answer(200, ""), request), Errc::kInvalidArgument);
}

TEST(HttpClient, PutsChunksTogether) {
  const auto response =
      get_from(Reply{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab",
                      "cd\r\n2\r\nef\r\n0\r\n\r\n"}});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "abcdef");
}

TEST(HttpClient, ErrorStatusIsASuccessfulExchange) {
  const auto response = get_from(answer(500, "broken"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 500);
  EXPECT_EQ(response->body, "broken");
}

TEST(HttpClient, NobodyThereIsUnavailable) {
  Target target{.base_url = "http://host", .unix_socket = "/nonexistent/hive.sock"};
  const auto response = HttpClient(target).send(Request{.path = "/"});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::kUnavailable);
}

TEST(HttpClient, GarbageIsCorrupt) {
  EXPECT_EQ(error_of(raw("\x01\x02 this is not HTTP at all\n")), Errc::kCorrupt);
}
TEST(HttpClient, GarbageChunkIsCorrupt) {
  EXPECT_EQ(error_of(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n")),
            Errc::kCorrupt);
}
TEST(HttpClient, ClosedWithoutAWordIsUnavailable) {
  EXPECT_EQ(error_of(raw("")), Errc::kUnavailable);
}
TEST(HttpClient, HalfAResponseIsUnavailable) {
  EXPECT_EQ(error_of(raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")),
            Errc::kUnavailable);
  EXPECT_EQ(error_of(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nha")),
            Errc::kUnavailable);
}
TEST(HttpClient, HangingIsDeadlineExceeded) {
  Request request;
  request.deadline = Milliseconds(50);
  EXPECT_EQ(error_of(raw("", Reply::Then::kHang), request), Errc::kDeadlineExceeded);
  EXPECT_EQ(
      error_of(raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", Reply::Then::kHang), request),
      Errc::kDeadlineExceeded);
}
TEST(HttpClient, TooLargeIsResourceExhausted) {
  Request request;
  request.max_response_bytes = 10;
  EXPECT_EQ(error_of(answer(200, "12345678901"), request), Errc::kResourceExhausted);
  const auto fits = get_from(answer(200, "1234567890"), request);
  EXPECT_TRUE(fits);
}

TEST(HttpClient, WorksAgainAfterAFailure) {
  std::atomic<int> calls{0};
  ScriptedServer server(ScriptedServer::Kind::kUnix, [&](const ScriptedRequest&) {
    return ++calls == 1 ? raw("garbage\n") : answer(200, "fine");
  });
  HttpClient client(target_of(server));
  EXPECT_FALSE(client.send(Request{.path = "/"}));
  const auto second = client.send(Request{.path = "/"});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->body, "fine");
}

std::string chunk_head() { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"; }

TEST(HttpClientStream, HandsPiecesOnUntilTheEnd) {
  ScriptedServer server(ScriptedServer::Kind::kUnix, [](const ScriptedRequest&) {
    return Reply{{chunk_head(), "3\r\nabc\r\n", "3\r\ndef\r\n0\r\n\r\n"}};
  });
  HttpClient client(target_of(server));
  std::string got;
  const auto response = client.stream(Request{.path = "/"},
                                      [&](std::string_view bytes) {
                                        got += bytes;
                                        return true;
                                      },
                                      {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(got, "abcdef");
  EXPECT_TRUE(response->body.empty());
}

TEST(HttpClientStream, EndsWhenTheCallbackHasEnough) {
  ScriptedServer server(ScriptedServer::Kind::kUnix, [](const ScriptedRequest&) {
    return Reply{{chunk_head(), "3\r\nabc\r\n"}, Reply::Then::kHang};
  });
  HttpClient client(target_of(server));
  const auto response =
      client.stream(Request{.path = "/"}, [](std::string_view) { return false; }, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
}

TEST(HttpClientStream, StopsFromAnotherThread) {
  ScriptedServer server(ScriptedServer::Kind::kUnix, [](const ScriptedRequest&) {
    return Reply{{chunk_head(), "3\r\nabc\r\n"}, Reply::Then::kHang};
  });
  HttpClient client(target_of(server));
  std::stop_source stop;
  std::thread stopper;
  const auto response = client.stream(
      Request{.path = "/"},
      [&](std::string_view) {
        if (!stopper.joinable()) stopper = std::thread([&] { stop.request_stop(); });
        return true;
      },
      stop.get_token());
  stopper.join();
  EXPECT_TRUE(response);
}

TEST(HttpClientStream, StopBeforeTheHeadersIsCancelled) {
  std::stop_source stop;
  ScriptedServer server(ScriptedServer::Kind::kUnix, [&](const ScriptedRequest&) {
    stop.request_stop();
    return Reply{{}, Reply::Then::kHang};
  });
  HttpClient client(target_of(server));
  const auto response = client.stream(
      Request{.path = "/"}, [](std::string_view) { return true; }, stop.get_token());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::kCancelled);
}

TEST(HttpClientStream, SilenceIsDeadlineExceeded) {
  ScriptedServer server(ScriptedServer::Kind::kUnix, [](const ScriptedRequest& request) {
    if (request.path == "/mute") return Reply{{}, Reply::Then::kHang};
    return Reply{{chunk_head(), "3\r\nabc\r\n"}, Reply::Then::kHang};
  });
  HttpClient client(target_of(server));
  const auto accept = [](std::string_view) { return true; };
  const auto idle = client.stream(Request{.path = "/"}, accept, {}, Milliseconds(30));
  ASSERT_FALSE(idle);
  EXPECT_EQ(idle.error().code, Errc::kDeadlineExceeded);
  const auto mute =
      client.stream(Request{.path = "/mute", .deadline = Milliseconds(30)}, accept, {});
  ASSERT_FALSE(mute);
  EXPECT_EQ(mute.error().code, Errc::kDeadlineExceeded);
}

TEST(HttpClientStream, BrokenOffIsUnavailable) {
  ScriptedServer server(ScriptedServer::Kind::kUnix, [](const ScriptedRequest&) {
    return Reply{{chunk_head(), "3\r\nabc\r\n"}, Reply::Then::kClose};
  });
  HttpClient client(target_of(server));
  const auto response =
      client.stream(Request{.path = "/"}, [](std::string_view) { return true; }, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::kUnavailable);
}

TEST(HttpClientStream, AnErrorStatusComesBackWithItsBody) {
  ScriptedServer server(ScriptedServer::Kind::kUnix,
                        [](const ScriptedRequest&) { return answer(404, "no such thing"); });
  HttpClient client(target_of(server));
  int calls = 0;
  const auto response = client.stream(Request{.path = "/"},
                                      [&](std::string_view) {
                                        ++calls;
                                        return true;
                                      },
                                      {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "no such thing");
  EXPECT_EQ(calls, 0);
}

TEST(HttpClientThreads, ManyShareOneClient) {
  ScriptedServer server(ScriptedServer::Kind::kTcp,
                        [](const ScriptedRequest& request) { return answer(200, request.path); });
  HttpClient client(target_of(server));
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
        const auto response = client.send(Request{.path = path});
        if (response && response->body == path) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
  EXPECT_LE(server.connections(), 8);
}

TEST(PercentEncode, KeepsOnlyUnreserved) {
  EXPECT_EQ(percent_encode("a-b_c.d~e/f g{\"}&=\xc3\xa9"),
            "a-b_c.d~e%2Ff%20g%7B%22%7D%26%3D%C3%A9");
}

}  // namespace
}  // namespace hive::net
