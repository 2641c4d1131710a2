package clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;

/** Messages that fail come again later, with the delays of their count, and end in the dead letter topic. */
final class Retry {
  private static final class Delivery {
    final long at_ms = System.currentTimeMillis();
    final String topic;
    final int times;
    final Map<String, String> properties;

    Delivery(MessageExt m) {
      topic = m.getTopic();
      times = m.getReconsumeTimes();
      properties = Env.properties(m);
    }
  }

  private static final class Deliveries {
    final Map<String, List<Delivery>> of = new ConcurrentHashMap<>();

    int see(MessageExt m) {
      List<Delivery> mine = of.computeIfAbsent(Env.body(m), body -> java.util.Collections.synchronizedList(new ArrayList<>()));
      mine.add(new Delivery(m));
      return mine.size();
    }

    int count(String body) {
      return of.getOrDefault(body, List.of()).size();
    }

    void say(Outcome out, String body) {
      List<Object> lines = new ArrayList<>();
      for (Delivery one : of.get(body)) {
        lines.add(List.of(one.topic, one.times, one.properties));
      }
      out.say("deliveries of " + body, lines);
    }

    /** Whether each came at least so long after the one before it. */
    boolean spaced(String body, long... gaps_ms) {
      List<Delivery> mine = of.get(body);
      for (int i = 0; i < gaps_ms.length; i++) {
        if (mine.get(i + 1).at_ms - mine.get(i).at_ms < gaps_ms[i] - 20) {
          return false;
        }
      }
      return mine.size() == gaps_ms.length + 1;
    }
  }

  /** Levels are configured as 1s 1s 1s 2s 3s …: the first retry waits level 3, the second level 4. */
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtRetry", 2);
    Deliveries deliveries = new Deliveries();
    DefaultMQPushConsumer consumer = env.push("ct_retry_group");
    consumer.setMaxReconsumeTimes(2);
    consumer.subscribe(topic, "T");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      MessageExt m = messages.get(0);
      int times = deliveries.see(m);
      boolean good = Env.body(m).equals("good") || (Env.body(m).equals("second time") && times == 2)
          || (Env.body(m).equals("own delay") && times == 2);
      if (Env.body(m).equals("own delay")) {
        context.setDelayLevelWhenNextConsume(5);
      }
      if (Env.body(m).equals("straight to the dead")) {
        context.setDelayLevelWhenNextConsume(-1);
      }
      return good ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS : ConsumeConcurrentlyStatus.RECONSUME_LATER;
    });
    consumer.start();
    DefaultMQProducer producer = env.producer("ct_retry");
    for (String body : List.of("good", "second time", "own delay", "bad", "straight to the dead")) {
      var message = Env.message(topic, "T", "key of " + body.length(), body);
      message.putUserProperty("user", "property");
      producer.send(message);
    }
    out.say("all deliveries came", Env.until(() -> deliveries.count("good") == 1 && deliveries.count("second time") == 2
        && deliveries.count("own delay") == 2 && deliveries.count("bad") == 3 && deliveries.count("straight to the dead") == 1));
    out.say("delays", deliveries.spaced("bad", 1000, 2000) && deliveries.spaced("second time", 1000) && deliveries.spaced("own delay", 3000));
    for (String body : List.of("good", "second time", "own delay", "bad", "straight to the dead")) {
      deliveries.say(out, body);
    }
    sayDead(env, out, "%DLQ%ct_retry_group", 2);
    out.say("no more after that", Env.never(1_000, () -> deliveries.count("bad") > 3));
    consumer.shutdown();
    producer.shutdown();
  }

  static void orderly(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtOrderlyRetry", 1);
    Deliveries deliveries = new Deliveries();
    DefaultMQPushConsumer consumer = env.push("ct_orderlyretry_group");
    consumer.setMaxReconsumeTimes(2);
    consumer.setSuspendCurrentQueueTimeMillis(100);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
      deliveries.see(messages.get(0));
      return Env.body(messages.get(0)).equals("bad") ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    DefaultMQProducer producer = env.producer("ct_orderlyretry");
    for (String body : List.of("good", "bad", "behind it")) {
      producer.send(Env.message(topic, "", "", body));
    }
    out.say("what is behind a dead letter goes on", Env.until(() -> deliveries.count("behind it") == 1));
    deliveries.say(out, "bad");
    sayDead(env, out, "%DLQ%ct_orderlyretry_group", 1);
    consumer.shutdown();
    producer.shutdown();
  }

  private static void sayDead(Env env, Outcome out, String topic, int count) throws Exception {
    List<MessageExt> dead = new ArrayList<>();
    out.say("dead letters are there", Env.until(() -> {
      try {
        dead.clear();
        dead.addAll(env.read(topic));
        return dead.size() == count;
      } catch (Exception e) {
        return false;
      }
    }));
    Map<String, Object> letters = new TreeMap<>();
    for (MessageExt m : dead) {
      letters.put(Env.body(m), List.of(m.getTopic(), m.getQueueId(), m.getReconsumeTimes(), Env.properties(m)));
    }
    out.say("dead letters", letters);
  }
}
