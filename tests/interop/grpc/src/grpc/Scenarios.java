package grpc;

import static grpc.Env.body;
import static grpc.Env.pause;
import static grpc.Env.until;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.rocketmq.client.apis.consumer.ConsumeResult;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.FilterExpressionType;
import org.apache.rocketmq.client.apis.consumer.PushConsumer;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.Producer;
import org.apache.rocketmq.client.apis.producer.SendReceipt;
import org.apache.rocketmq.client.apis.producer.Transaction;
import org.apache.rocketmq.client.apis.producer.TransactionResolution;

/** What a program of the 5.x client does. Each returns what it saw, which has to be the same from every broker. */
final class Scenarios {
  private Scenarios() {}

  /** Tags, keys and properties. */
  static Object push(Env env) throws Exception {
    Set<String> got = new ConcurrentSkipListSet<>();
    try (Producer producer = env.producer("GrpcPush");
        PushConsumer consumer = env.push("GrpcPush", new FilterExpression("even", FilterExpressionType.TAG), message -> {
          got.add(body(message) + message.getTag() + message.getKeys() + message.getProperties());
          return ConsumeResult.SUCCESS;
        })) {
      for (int i = 0; i < 20; i++) {
        producer.send(env.message("GrpcPush", "m" + i).setTag(i % 2 == 0 ? "even" : "odd").setKeys("k" + i, "all").addProperty("n", "" + i).build());
      }
      until(() -> got.size() >= 10);
      pause();
    }
    return got;
  }

  static Object sql(Env env) throws Exception {
    Set<String> got = new ConcurrentSkipListSet<>();
    FilterExpression filter = new FilterExpression("n > 5 AND colour IN ('red')", FilterExpressionType.SQL92);
    try (Producer producer = env.producer("GrpcSql"); PushConsumer consumer = env.push("GrpcSql", filter, message -> {
      got.add(body(message));
      return ConsumeResult.SUCCESS;
    })) {
      for (int i = 0; i < 20; i++) {
        producer.send(env.message("GrpcSql", "m" + i).addProperty("n", "" + i).addProperty("colour", i % 2 == 0 ? "red" : "blue").build());
      }
      until(() -> got.size() >= 7);
      pause();
    }
    return got;
  }

  /** In order within a message group, though one of each fails at first. */
  static Object fifo(Env env) throws Exception {
    Map<String, List<String>> got = new ConcurrentSkipListMap<>();
    Set<String> failed = ConcurrentHashMap.newKeySet();
    try (Producer producer = env.producer("GrpcFifo"); PushConsumer consumer = env.push("GrpcFifo", FilterExpression.SUB_ALL, message -> {
      if (body(message).endsWith("3") && failed.add(body(message))) {
        return ConsumeResult.FAILURE;
      }
      got.computeIfAbsent(message.getMessageGroup().orElse(""), group -> Collections.synchronizedList(new ArrayList<>())).add(body(message));
      return ConsumeResult.SUCCESS;
    })) {
      for (int i = 0; i < 10; i++) {
        for (String group : List.of("x", "y", "z")) {
          producer.send(env.message("GrpcFifo", group + i).setMessageGroup(group).build());
        }
      }
      until(() -> got.values().stream().mapToInt(List::size).sum() >= 30);
      pause();
    }
    return got;
  }

  /** Not before its time, within three seconds of it, and not at all what is recalled. */
  static Object delay(Env env) throws Exception {
    Map<String, String> got = new ConcurrentSkipListMap<>();
    try (Producer producer = env.producer("GrpcDelay"); PushConsumer consumer = env.push("GrpcDelay", FilterExpression.SUB_ALL, message -> {
      long late = System.currentTimeMillis() - message.getDeliveryTimestamp().orElse(0L);
      got.put(body(message), late < -100 ? "early" : late > 3000 ? "late" : "in time");
      return ConsumeResult.SUCCESS;
    })) {
      long now = System.currentTimeMillis();
      SendReceipt recalled = producer.send(env.message("GrpcDelay", "recalled").setDeliveryTimestamp(now + 6000).build());
      for (int i = 1; i <= 4; i++) {
        producer.send(env.message("GrpcDelay", "m" + i).setDeliveryTimestamp(now + i * 2000).build());
      }
      producer.recallMessage("GrpcDelay", recalled.getRecallHandle());
      until(() -> got.size() >= 4);
      pause();
    }
    return got;
  }

  static Object transactions(Env env) throws Exception {
    Set<String> got = new ConcurrentSkipListSet<>();
    Set<String> asked = new ConcurrentSkipListSet<>();
    try (Producer producer = env.producer("GrpcTrans", message -> {
      asked.add(body(message));
      return body(message).endsWith("commit") ? TransactionResolution.COMMIT : TransactionResolution.ROLLBACK;
    }); PushConsumer consumer = env.push("GrpcTrans", FilterExpression.SUB_ALL, message -> {
      got.add(body(message));
      return ConsumeResult.SUCCESS;
    })) {
      for (String body : List.of("commit", "rollback", "open, commit", "open, rollback")) {
        Transaction transaction = producer.beginTransaction();
        producer.send(env.message("GrpcTrans", body).build(), transaction);
        if (body.equals("commit")) {
          transaction.commit();
        } else if (body.equals("rollback")) {
          transaction.rollback();
        }
      }
      until(() -> got.size() >= 2 && asked.size() >= 2);
      pause();
    }
    return List.of(got, asked);
  }

  /** Received, acknowledged, given another time, forgotten. */
  static Object simple(Env env) throws Exception {
    Map<String, Integer> attempts = new TreeMap<>();
    try (Producer producer = env.producer("GrpcSimple"); SimpleConsumer consumer = env.simple("GrpcSimple")) {
      for (int i = 0; i < 12; i++) {
        producer.send(env.message("GrpcSimple", "m" + i).build());
      }
      Set<String> done = ConcurrentHashMap.newKeySet();
      long end = System.nanoTime() + 100_000_000_000L;
      while (done.size() < 12 && System.nanoTime() < end) {
        for (MessageView message : consumer.receive(4, Duration.ofSeconds(10))) {
          boolean first = attempts.put(body(message), message.getDeliveryAttempt()) == null;
          if (first && body(message).equals("m3")) {
            consumer.changeInvisibleDuration(message, Duration.ofSeconds(12));
          } else if (!first || !body(message).equals("m5")) {
            consumer.ack(message);
            done.add(body(message));
          }
        }
      }
    }
    return attempts;
  }

  /** What always fails is tried as often as its group says and is then a dead letter. */
  static Object deadLetter(Env env) throws Exception {
    Set<String> got = new ConcurrentSkipListSet<>();
    try (Producer producer = env.producer("GrpcDead"); PushConsumer consumer = env.push("GrpcDead", FilterExpression.SUB_ALL, message -> {
      got.add(body(message) + " " + message.getDeliveryAttempt());
      return body(message).equals("bad") ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS;
    })) {
      producer.send(env.message("GrpcDead", "bad").build());
      producer.send(env.message("GrpcDead", "good").build());
      until(() -> got.size() >= 3);
      pause();
    }
    return got;
  }
}
