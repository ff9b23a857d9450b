#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "engine/docker/auth.h"
#include "engine/docker/client.h"
#include "engine/docker/connection.h"
#include "engine/docker/docker_engine.h"
#include "engine/docker/json_split.h"
#include "engine/docker/log_frames.h"
#include "engine/read_model.h"
#include "net/testing/scripted_server.h"

namespace hive::engine::docker {
namespace {

using net::testing::answer;
using net::testing::json_answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;

Reply pong(const std::string& version = "1.41") {
  return answer(200, "OK", "Api-Version: " + version + "\r\n");
}

// A stand-in engine: answers /_ping, and everything else as the test says.
class StandIn {
 public:
  explicit StandIn(ScriptedServer::Handler handler, const std::string& version = "1.41")
      : server_(ScriptedServer::Kind::kUnix,
                [handler = std::move(handler), version](const ScriptedRequest& request) {
                  return request.path.find("/_ping") != std::string::npos ? pong(version)
                                                                          : handler(request);
                }) {
    EngineOptions options;
    options.host = "unix://" + server_.socket_path();
    options.deadline = Milliseconds(5'000);
    engine_ = std::move(*connect(options));
  }
  Engine& engine() { return *engine_; }
  ScriptedRequest last() const { return server_.requests().back(); }
  const ScriptedServer& server() const { return server_; }

 private:
  ScriptedServer server_;
  std::unique_ptr<Engine> engine_;
};

Errc code_for(const Reply& reply) {
  StandIn engine([&](const ScriptedRequest&) { return reply; });
  const auto info = engine.engine().info();
  return info ? Errc::kInternal : info.error().code;
}

Errc code_for(int status, const std::string& message) {
  return code_for(json_answer(status, Json{{"message", message}}.dump()));
}

TEST(Connect, UnderstandsAddresses) {
  const auto url = [](const std::string& host, const std::string& ca = "") {
    EngineOptions options;
    options.host = host;
    options.tls.ca_file = ca;
    const auto target = target_from(options);
    return target ? target->base_url + target->unix_socket : "bad";
  };
  EXPECT_EQ(url("unix:///run/docker.sock"), "http://docker/run/docker.sock");
  EXPECT_EQ(url("tcp://10.0.0.1"), "http://10.0.0.1:2375");
  EXPECT_EQ(url("tcp://10.0.0.1:9"), "http://10.0.0.1:9");
  EXPECT_EQ(url("tcp://10.0.0.1", "/ca.pem"), "https://10.0.0.1:2376");
  EXPECT_EQ(url("https://h"), "https://h:2376");
  EXPECT_EQ(url("tcp://[::1]"), "http://[::1]:2375");
  for (const char* host : {"", "docker", "unix://", "unix://relative", "ssh://me@host", "tcp://"})
    EXPECT_EQ(url(host), "bad") << host;
}

TEST(Versions, NegotiatedAndCapped) {
  for (const auto& [theirs, ours] :
       {std::pair("1.40", "1.40"), std::pair("1.41", "1.41"), std::pair("1.99", "1.47")}) {
    StandIn engine([](const ScriptedRequest&) { return json_answer(200, "{}"); }, theirs);
    ASSERT_TRUE(engine.engine().info());
    EXPECT_EQ(engine.last().path, std::string("/v") + ours + "/info");
  }
}

TEST(Versions, TooOldOrNoEngine) {
  StandIn old([](const ScriptedRequest&) { return json_answer(200, "{}"); }, "1.39");
  EXPECT_EQ(old.engine().info().error().code, Errc::kUnsupported);
  StandIn odd([](const ScriptedRequest&) { return json_answer(200, "{}"); }, "banana");
  EXPECT_EQ(odd.engine().info().error().code, Errc::kCorrupt);
}

TEST(Versions, NegotiatedAnewAfterADowngrade) {
  std::atomic<int> calls{0};
  StandIn engine([&](const ScriptedRequest&) {
    return ++calls == 1 ? json_answer(400, R"({"message":"client version 1.41 is too new"})")
                        : json_answer(200, "{}");
  });
  EXPECT_TRUE(engine.engine().info());
  EXPECT_EQ(code_for(400, "client version 1.41 is too old"), Errc::kUnsupported);
}

TEST(Errors, OfTheEngineHaveTheirCodes) {
  EXPECT_EQ(code_for(500, "rpc error: code = Unknown desc = update out of sequence"),
            Errc::kConflict);
  EXPECT_EQ(code_for(404, "service x not found"), Errc::kNotFound);
  EXPECT_EQ(code_for(409, "name conflicts with an existing object"), Errc::kAlreadyExists);
  EXPECT_EQ(code_for(409, "volume is in use"), Errc::kFailedPrecondition);
  EXPECT_EQ(code_for(503, "This node is not a swarm manager."), Errc::kFailedPrecondition);
  EXPECT_EQ(code_for(406, "This node is not part of a swarm"), Errc::kFailedPrecondition);
  EXPECT_EQ(code_for(400, "bad thing"), Errc::kInvalidArgument);
  EXPECT_EQ(code_for(401, "who are you"), Errc::kUnauthenticated);
  EXPECT_EQ(code_for(403, "no"), Errc::kPermissionDenied);
  EXPECT_EQ(code_for(500, "The swarm does not have a leader."), Errc::kUnavailable);
  EXPECT_EQ(code_for(500, "write /x: no space left on device"), Errc::kResourceExhausted);
  EXPECT_EQ(code_for(429, "slow down"), Errc::kThrottled);
}

TEST(Errors, OfBrokenAnswers) {
  EXPECT_EQ(code_for(answer(502, "<html>Bad Gateway</html>")), Errc::kCorrupt);
  EXPECT_EQ(code_for(answer(200, "<html>hello</html>")), Errc::kCorrupt);
  EXPECT_EQ(code_for(answer(200, "{\"a\":")), Errc::kCorrupt);
  EXPECT_EQ(code_for(Reply{{"garbage\n"}, Reply::Then::kClose}), Errc::kCorrupt);
  EXPECT_EQ(
      code_for(Reply{{"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"}, Reply::Then::kClose}),
      Errc::kUnavailable);
}

// Valid JSON of another shape is no answer either: it must not read as "there is nothing".
TEST(Errors, OfAnswersOfAnotherShape) {
  for (const char* body : {"42", "\"text\"", "[\"a\",\"b\"]", "[1,2]", "true", "[[]]"}) {
    StandIn stand_in([&](const ScriptedRequest&) { return json_answer(200, body); });
    Engine& engine = stand_in.engine();
    const auto code = [](const auto& result) {
      return result ? Errc::kInternal : result.error().code;
    };
    SCOPED_TRACE(body);
    EXPECT_EQ(code(engine.list_nodes({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_services({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_services_json({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_tasks({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_configs({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_secrets({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_networks({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_volumes({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_images({})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.list_containers(true, {})), Errc::kCorrupt);
    EXPECT_EQ(code(engine.version()), Errc::kCorrupt);
    EXPECT_EQ(code(engine.info()), Errc::kCorrupt);
    EXPECT_EQ(code(engine.swarm_inspect()), Errc::kCorrupt);
    EXPECT_EQ(code(engine.join_tokens()), Errc::kCorrupt);
    EXPECT_EQ(code(engine.inspect_node("x")), Errc::kCorrupt);
    EXPECT_EQ(code(engine.inspect_service("x")), Errc::kCorrupt);
    EXPECT_EQ(code(engine.inspect_task("x")), Errc::kCorrupt);
    EXPECT_EQ(code(engine.inspect_network("x")), Errc::kCorrupt);
    EXPECT_EQ(code(engine.inspect_volume("x")), Errc::kCorrupt);
    EXPECT_EQ(code(engine.create_volume(Json::object())), Errc::kCorrupt);
    EXPECT_EQ(code(engine.inspect_image("x")), Errc::kCorrupt);
    EXPECT_EQ(code(engine.inspect_container("x")), Errc::kCorrupt);
  }
}

TEST(Errors, AHangingEngineMeetsTheDeadline) {
  ScriptedServer server(ScriptedServer::Kind::kUnix, [](const ScriptedRequest&) {
    return Reply{{}, Reply::Then::kHang};
  });
  EngineOptions options;
  options.host = "unix://" + server.socket_path();
  options.deadline = Milliseconds(50);
  auto engine = connect(options);
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->ping().error().code, Errc::kDeadlineExceeded);
  EXPECT_EQ((*engine)->list_tasks({}).error().code, Errc::kDeadlineExceeded);
}

std::string task_json(int number) {
  return Json{{"ID", "t" + std::to_string(number)},
              {"Version", {{"Index", number}}},
              {"CreatedAt", "2026-01-02T03:04:05.678901234Z"},
              {"Spec", {{"ContainerSpec", {{"Image", "a:\"]}1"}}}}},
              {"ServiceID", "s"},
              {"Slot", number},
              {"NodeID", "n"},
              {"DesiredState", "running"},
              {"Status",
               {{"State", "running"},
                {"Timestamp", "2026-01-02T03:04:05+01:00"},
                {"ContainerStatus", {{"ContainerID", "c"}, {"ExitCode", 3}}},
                {"PortStatus",
                 {{"Ports",
                   {{{"Protocol", "tcp"},
                     {"TargetPort", 8080},
                     {"PublishedPort", 32768},
                     {"PublishMode", "host"}}}}}}}}}
      .dump();
}

TEST(Lists, BothParsersReadTheSameTask) {
  StandIn engine(
      [](const ScriptedRequest&) { return json_answer(200, "[" + task_json(7) + "]\n"); });
  const auto tasks = engine.engine().list_tasks({{"service", {"s"}}});
  ASSERT_TRUE(tasks) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 1u);
  const model::Task& task = tasks->front();
  EXPECT_EQ(task, task_from_json(Json::parse(task_json(7))));
  EXPECT_EQ(task.image, "a:\"]}1");
  EXPECT_EQ(task.state, model::TaskState::kRunning);
  EXPECT_EQ(task.exit_code, 3);
  EXPECT_EQ(task.created_unix_ms, 1767323045678);
  EXPECT_EQ(task.state_since_unix_ms, 1767319445000);
  ASSERT_EQ(task.ports.size(), 1u);
  EXPECT_EQ(task.ports[0].published, 32768);
  EXPECT_EQ(engine.last().path, "/v1.41/tasks?filters=%7B%22service%22%3A%5B%22s%22%5D%7D");
}

TEST(Lists, TwentyThousandTasks) {
  std::string body = "[";
  for (int i = 0; i < 20'000; ++i) body += (i == 0 ? "" : ",") + task_json(i);
  body += "]";
  StandIn engine([&](const ScriptedRequest&) { return json_answer(200, body); });
  const auto tasks = engine.engine().list_tasks({});
  ASSERT_TRUE(tasks) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 20'000u);
  EXPECT_EQ(tasks->back().id, "t19999");
}

TEST(Lists, BrokenOnes) {
  const auto code = [](const Reply& reply) {
    StandIn engine([&](const ScriptedRequest&) { return reply; });
    const auto tasks = engine.engine().list_tasks({});
    return tasks ? Errc::kInternal : tasks.error().code;
  };
  EXPECT_EQ(code(json_answer(200, "[{\"ID\":1},")), Errc::kCorrupt);
  EXPECT_EQ(code(json_answer(200, "{\"ID\":1}")), Errc::kCorrupt);
  EXPECT_EQ(code(json_answer(200, "[{\"ID\" 1}]")), Errc::kCorrupt);
  EXPECT_EQ(code(json_answer(200, "<html>")), Errc::kCorrupt);
  EXPECT_EQ(code(json_answer(503, R"({"message":"This node is not a swarm manager"})")),
            Errc::kFailedPrecondition);
}

TEST(JsonSplitter, CutsAnywhere) {
  const std::string text = "[ {\"a\":\"}\\\"]\"} ,{\"b\":[{}]}]\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::vector<std::string> values;
    JsonSplitter splitter(JsonSplitter::Shape::kArray, [&](std::string_view value) -> Status {
      values.emplace_back(value);
      return {};
    });
    ASSERT_TRUE(splitter.feed(text.substr(0, cut)));
    ASSERT_TRUE(splitter.feed(text.substr(cut)));
    ASSERT_TRUE(splitter.finish());
    EXPECT_EQ(values, (std::vector<std::string>{"{\"a\":\"}\\\"]\"}", "{\"b\":[{}]}"})) << cut;
  }
}

TEST(Times, OfTheEngine) {
  constexpr std::int64_t kDay = 86'400'000;
  EXPECT_EQ(unix_ms_from_rfc3339("1970-01-02T00:00:00Z"), kDay);
  EXPECT_EQ(unix_ms_from_rfc3339("2026-01-02T03:04:05.678901234Z"), 1'767'323'045'678);
  EXPECT_EQ(unix_ms_from_rfc3339("2026-01-02T03:04:05.6Z"), 1'767'323'045'600);
  EXPECT_EQ(unix_ms_from_rfc3339("2026-01-02T12:04:05+09:00"), 1'767'323'045'000);
  EXPECT_EQ(unix_ms_from_rfc3339("2026-01-01T21:34:05-05:30"), 1'767'323'045'000);
  EXPECT_EQ(unix_ms_from_rfc3339("2024-02-29T00:00:00Z") + kDay,
            unix_ms_from_rfc3339("2024-03-01T00:00:00Z"));
  for (const char* none : {"", "0001-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z",
                           "2026-01-02", "2026-01-02T03:04:0", "2026/01/02T03:04:05Z"})
    EXPECT_EQ(unix_ms_from_rfc3339(none), 0) << none;
}

TEST(Writes, CarryVersionAndAuth) {
  StandIn engine([](const ScriptedRequest&) { return json_answer(200, R"({"Warnings":["w"]})"); });
  ServiceWriteOptions options;
  options.auth = {"me", "secret", "r:5000", ""};
  options.registry_auth_from = "spec";
  const auto written = engine.engine().update_service("id", 42, {{"Name", "web"}}, options);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->warnings, std::vector<std::string>{"w"});
  const auto request = engine.last();
  EXPECT_EQ(request.path, "/v1.41/services/id/update?version=42&registryAuthFrom=spec");
  EXPECT_EQ(request.headers.at("x-registry-auth"),
            base64url(R"({"password":"secret","serveraddress":"r:5000","username":"me"})"));
}

TEST(Writes, PinTheDigestAsTheDockerCommandDoes) {
  StandIn engine([](const ScriptedRequest& request) {
    if (request.path.find("/distribution/") != std::string::npos)
      return json_answer(200, R"({"Descriptor":{"digest":"sha256:d"},
                                  "Platforms":[{"architecture":"amd64","os":"linux"}]})");
    return json_answer(201, R"({"ID":"s1"})");
  });
  ServiceWriteOptions options;
  options.query_registry = true;
  const Json spec{{"Name", "web"}, {"TaskTemplate", {{"ContainerSpec", {{"Image", "r:5/a"}}}}}};
  ASSERT_TRUE(engine.engine().create_service(spec, options));
  const Json sent = Json::parse(engine.last().body);
  EXPECT_EQ(json_string(sent, "TaskTemplate.ContainerSpec.Image"), "r:5/a:latest@sha256:d");
  EXPECT_EQ(sent["TaskTemplate"]["Placement"]["Platforms"][0]["Architecture"], "amd64");
}

TEST(Images, AnErrorInATwoHundredIsAnError) {
  StandIn engine([](const ScriptedRequest&) {
    return json_answer(200,
                       "{\"status\":\"Preparing\",\"id\":\"a\"}\r\n"
                       "{\"errorDetail\":{\"message\":\"unauthorized: no\"},\"error\":\"x\"}");
  });
  int seen = 0;
  const auto pushed =
      engine.engine().push_image("r:5000/app:1", {}, [&](const PullProgress&) { ++seen; });
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, Errc::kUnauthenticated);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(engine.last().path, "/v1.41/images/r:5000/app/push?tag=1");
  EXPECT_EQ(engine.last().headers.at("x-registry-auth"), base64url("{}"));
}

TEST(Images, APullWithoutTagAsksForLatestOnly) {
  StandIn engine([](const ScriptedRequest&) { return json_answer(200, "{\"status\":\"ok\"}"); });
  ASSERT_TRUE(engine.engine().pull_image("app", {}, {}));
  EXPECT_EQ(engine.last().path, "/v1.41/images/create?fromImage=app&tag=latest");
}

std::string frame(int stream, const std::string& text) {
  std::string out(8, '\0');
  out[0] = static_cast<char>(stream);
  out[6] = static_cast<char>(text.size() >> 8);
  out[7] = static_cast<char>(text.size() & 0xff);
  return out + text;
}

std::vector<LogLine> decode(LogDecoder::Format format, const std::string& bytes,
                            std::size_t step = 1) {
  std::vector<LogLine> lines;
  LogDecoder decoder(format, [&](LogLine line) {
    lines.push_back(std::move(line));
    return true;
  });
  for (std::size_t i = 0; i < bytes.size(); i += step)
    EXPECT_TRUE(decoder.feed(std::string_view(bytes).substr(i, step)));
  EXPECT_TRUE(decoder.finish());
  return lines;
}

TEST(LogDecoder, FramesCutAnywhere) {
  const std::string bytes =
      frame(1, "one\n") + frame(2, "err\n") + frame(1, "tw") + frame(1, "o\n") + frame(1, "end");
  for (std::size_t step : {1, 3, 7, 100}) {
    const auto lines = decode({}, bytes, step);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0].text, "one");
    EXPECT_EQ(lines[1].stream, 2);
    EXPECT_EQ(lines[2].text, "two");
    EXPECT_EQ(lines[3].text, "end");
  }
}

TEST(LogDecoder, DetailsAndTimestamps) {
  LogDecoder::Format format;
  format.timestamps = format.details = true;
  const auto lines = decode(format, frame(1, "T1 a=b%20c,d=e hello ") + frame(2, "T2 a=z x\n") +
                                        frame(1, "T3 a=b%20c,d=e world\n"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].text, "T1 hello world");
  EXPECT_EQ(lines[1].details, (model::Labels{{"a", "b c"}, {"d", "e"}}));
  EXPECT_EQ(lines[0].text, "T2 x");
}

TEST(LogDecoder, RawLines) {
  LogDecoder::Format format;
  format.raw = true;
  const auto lines = decode(format, "one\r\ntwo\nrest");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].text, "one");
  EXPECT_EQ(lines[2].text, "rest");
}

TEST(LogDecoder, LongLinesComeInPieces) {
  LogDecoder::Format format;
  format.raw = true;
  const auto lines =
      decode(format, std::string(LogDecoder::kMaxLineBytes + 5, 'x') + "\n", 1U << 16);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text.size(), LogDecoder::kMaxLineBytes);
  EXPECT_EQ(lines[1].text, "xxxxx");
}

TEST(LogDecoder, BrokenStreams) {
  const auto ignore = [](const LogLine&) { return true; };
  LogDecoder garbage({}, ignore);
  EXPECT_EQ(garbage.feed("hello world").error().code, Errc::kCorrupt);
  LogDecoder failing({}, ignore);
  EXPECT_EQ(failing.feed(frame(3, "engine trouble")).error().code, Errc::kUnavailable);
  LogDecoder half({}, ignore);
  EXPECT_TRUE(half.feed(frame(1, "abc\n").substr(0, 9)));
  EXPECT_EQ(half.finish().error().code, Errc::kUnavailable);
}

TEST(Events, EachConnectionBeginsWithARelist) {
  StandIn engine([](const ScriptedRequest&) {
    const std::string event =
        R"({"Type":"container","Action":"die","Actor":{"ID":"c","Attributes":{"a":"b"}},"timeNano":5})";
    return Reply{
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         "10\r\n" + event.substr(0, 16) + "\r\n",
         "5A\r\n" + event.substr(16) + std::string(90 - (event.size() - 16), '\n') + "\r\n"},
        Reply::Then::kClose};
  });
  std::vector<std::string> seen;
  EXPECT_TRUE(engine.engine().events(
      {},
      [&](const Event& event) {
        seen.push_back(event.relist ? "relist" : event.type + " " + event.action);
        return seen.size() < 4;
      },
      {}));
  EXPECT_EQ(seen, (std::vector<std::string>{"relist", "container die", "relist", "container die"}));
}

TEST(Events, AFilterThatTheEngineRefusesEndsThem) {
  StandIn engine([](const ScriptedRequest&) {
    return json_answer(400, R"({"message":"invalid filter 'x'"})");
  });
  const auto ended = engine.engine().events({{"x", {"y"}}}, [](const Event&) { return true; }, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace hive::engine::docker
