package clients;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Transactions: committed, rolled back, not known and asked about; a producer that dies, and another of its group is asked.
 * Both brokers ask after 2 s, every 3 s, 4 times, and write completions at once.
 */
final class Transactions {
  private static final int CHECKS_MAX = 4;

  /** Says what the body says: the first word at the end of the send, the others one a check, the last for good. */
  private static final class Told implements TransactionListener {
    final Map<String, AtomicInteger> checks = new ConcurrentHashMap<>();

    private static LocalTransactionState state(String body, int at) {
      String[] words = body.split(" ");
      switch (words[Math.min(at, words.length - 1)]) {
        case "commit":
          return LocalTransactionState.COMMIT_MESSAGE;
        case "rollback":
          return LocalTransactionState.ROLLBACK_MESSAGE;
        default:
          return LocalTransactionState.UNKNOW;
      }
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
      return state(Env.body(message), 0);
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
      String body = Env.body(message);
      return state(body, checks.computeIfAbsent(body, b -> new AtomicInteger()).incrementAndGet());
    }

    int checks(String body) {
      AtomicInteger count = checks.get(body);
      return count == null ? 0 : count.get();
    }
  }

  private static TransactionMQProducer producer(Env env, String group, Told told) throws Exception {
    TransactionMQProducer producer = new TransactionMQProducer(group);
    producer.setNamesrvAddr(env.namesrv);
    producer.setInstanceName(env.instance());
    producer.setSendMsgTimeout(20_000);
    producer.setHeartbeatBrokerInterval(1_000);
    producer.setTransactionListener(told);
    producer.start();
    return producer;
  }

  private static List<String> bodies(Env env, String topic) {
    List<String> out = new ArrayList<>();
    try {
      for (MessageExt message : env.read(topic)) {
        out.add(Env.body(message));
      }
    } catch (Exception e) {
      return new ArrayList<>(); // not there yet
    }
    Collections.sort(out);
    return out;
  }

  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtTransaction", 2);
    Told told = new Told();
    TransactionMQProducer producer = producer(env, "ct_transaction", told);
    List<String> sent = List.of("commit", "rollback", "unknown commit", "unknown rollback", "unknown unknown commit",
        "unknown unknown");
    Map<String, Object> answers = new TreeMap<>();
    for (String body : sent) {
      TransactionSendResult result = producer.sendMessageInTransaction(Env.message(topic, "T", "k-" + body.length(), body), null);
      answers.put(body, List.of(result.getSendStatus(), result.getLocalTransactionState(),
          result.getTransactionId().equals(result.getMsgId())));
    }
    out.say("answers", answers);

    List<String> want = List.of("commit", "unknown commit", "unknown unknown commit");
    out.say("what was committed came", Env.until(() -> bodies(env, topic).equals(want)));
    out.say("given up after the last question", Env.until(() -> bodies(env, "TRANS_CHECK_MAX_TIME_TOPIC").contains("unknown unknown")));
    // A busy machine may be late with an answer, and is asked once more.
    Map<String, Integer> needed = Map.of("commit", 0, "rollback", 0, "unknown commit", 1, "unknown rollback", 1,
        "unknown unknown commit", 2, "unknown unknown", CHECKS_MAX);
    boolean as_often = true;
    for (String body : sent) {
      as_often = as_often && told.checks(body) >= needed.get(body) && told.checks(body) <= CHECKS_MAX;
    }
    out.say("asked as often as needed, and no more than may be", as_often);
    out.say("not asked about what was ended", told.checks("commit") + told.checks("rollback") == 0);
    out.say("nothing more comes", Env.never(4_000, () -> !bodies(env, topic).equals(want)));
    Map<String, Object> stored = new TreeMap<>();
    for (MessageExt message : env.read(topic)) {
      Map<String, String> properties = Env.properties(message);
      for (String name : List.of("__transactionId__", "TRANSACTION_CHECK_TIMES")) {
        properties.computeIfPresent(name, (key, value) -> "*");
      }
      stored.put(Env.body(message), List.of(message.getTopic(), message.getSysFlag(), message.getReconsumeTimes(),
          message.getPreparedTransactionOffset() > 0, properties));
    }
    out.say("as stored", stored);
    producer.shutdown();
  }

  /** A producer dies with its transaction open. */
  static void orphan(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtOrphan", 2);
    // On line before: rounds that find nobody count, too. A producer knows the brokers of what it has sent to.
    TransactionMQProducer heir = producer(env, "ct_orphan", new Told());
    heir.send(Env.message(topic, "T", "k", "hello"));
    out.say("one of the group is on line", Env.until(() -> {
      try {
        return env.admin.examineProducerConnectionInfo("ct_orphan", topic).getConnectionSet().size() == 1;
      } catch (Exception e) {
        return false; // not there yet
      }
    }));
    List<String> command = List.of(System.getProperty("java.home") + "/bin/java", "-cp",
        System.getProperty("java.class.path"), "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Duser.home=" + System.getProperty("user.home"), "-Drocketmq.client.logUseSlf4j=false", "clients.Run", "half",
        env.namesrv, "ct_orphan", topic);
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    out.say("it died", child.waitFor(60, TimeUnit.SECONDS) && child.exitValue() == 9);
    out.say("with its message stored", said.contains("stored UNKNOW"));
    out.say("another of its group is asked", Env.until(() -> bodies(env, topic).equals(List.of("hello", "unknown commit"))));
    out.say("nothing more comes", Env.never(4_000, () -> bodies(env, topic).size() != 2));
    heir.shutdown();
  }

  /** The process that dies. */
  static void child(String namesrv, String group, String topic) throws Exception {
    TransactionMQProducer producer = producer(new Env(namesrv), group, new Told());
    TransactionSendResult result = producer.sendMessageInTransaction(Env.message(topic, "T", "k", "unknown commit"), null);
    System.out.println("stored " + result.getLocalTransactionState());
    System.out.flush();
    Runtime.getRuntime().halt(9);
  }
}
