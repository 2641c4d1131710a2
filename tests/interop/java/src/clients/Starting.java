package clients;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.store.ReadOffsetType;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.UtilAll;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.route.QueueData;

/** Where a new group begins, what pulls by hand come to, topics that nobody has made, names with a name space. */
final class Starting {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtStart", 2);
    DefaultMQProducer producer = env.producer("ct_start");
    for (int i = 0; i < 20; i++) {
      producer.send(Env.message(topic, i % 2 == 0 ? "even" : "odd", "", "before " + i), (all, m, n) -> all.get((Integer) n / 10), i);
    }
    List<DefaultMQPushConsumer> consumers = new ArrayList<>();
    List<Counted> seen = new ArrayList<>();
    for (ConsumeFromWhere where : List.of(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET, ConsumeFromWhere.CONSUME_FROM_TIMESTAMP)) {
      Counted counted = new Counted();
      DefaultMQPushConsumer consumer = env.push("ct_" + where.name().toLowerCase());
      consumer.setConsumeFromWhere(where);
      consumer.setConsumeTimestamp(UtilAll.timeMillisToHumanString3(System.currentTimeMillis() + 3_600_000));
      consume(consumer, topic, counted);
      consumers.add(consumer);
      seen.add(counted);
    }
    for (int i = 0; i < 2; i++) {
      Counted counted = seen.get(i);
      out.say("begins by " + consumers.get(i).getConsumeFromWhere(), List.of(Env.until(() -> counted.distinct() == 20), counted.all()));
    }

    // Asked to pause, it takes nothing; asked to go on, all of it.
    DefaultMQPushConsumer paused = consumers.get(0);
    paused.suspend();
    for (int i = 0; i < 10; i++) {
      producer.send(Env.message(topic, "", "", "paused " + i));
    }
    out.say("the other goes on", Env.until(() -> seen.get(1).distinct() == 30));
    paused.resume();
    out.say("resumed", Env.until(() -> seen.get(0).distinct() == 30));
    out.say("twice", List.of(seen.get(0).twice(), seen.get(1).twice()));
    for (DefaultMQPushConsumer consumer : consumers) {
      consumer.shutdown();
    }
    producer.shutdown();
  }

  static void pulls(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtPull", 1);
    DefaultMQProducer producer = env.producer("ct_pull");
    for (int i = 0; i < 10; i++) {
      producer.send(Env.message(topic, i % 3 == 0 ? "third" : "other", "", "pull " + i));
    }
    DefaultMQPullConsumer consumer = env.puller("ct_pull_group");
    MessageQueue queue = consumer.fetchSubscribeMessageQueues(topic).iterator().next();
    out.say("all", told(consumer.pull(queue, "*", 0, 32)));
    out.say("some", told(consumer.pull(queue, "*", 4, 3)));
    out.say("by tag", told(consumer.pull(queue, "third || none", 0, 32)));
    out.say("no such tag", told(consumer.pull(queue, "none", 2, 32)));
    out.say("at the end", told(consumer.pull(queue, "*", 10, 32)));
    out.say("behind the end", told(consumer.pull(queue, "*", 1000, 32)));
    out.say("a queue that is not there",
        Refused.code(() -> consumer.pull(new MessageQueue(topic, queue.getBrokerName(), 7), "*", 0, 32)));
    out.say("no such topic",
        Refused.code(() -> consumer.pull(new MessageQueue("CtNowhere", queue.getBrokerName(), 0), "*", 0, 32)));

    Thread late = new Thread(() -> {
      try {
        Thread.sleep(1500);
        producer.send(Env.message(topic, "third", "", "pull 10"));
      } catch (Exception e) {
        out.failed(e);
      }
    });
    late.start();
    out.say("waited for", told(consumer.pullBlockIfNotFound(queue, "*", 10, 32)));
    late.join();

    out.say("offset of a new group", consumer.fetchConsumeOffset(queue, true));
    consumer.updateConsumeOffset(queue, 7);
    out.say("offset in memory", consumer.getOffsetStore().readOffset(queue, ReadOffsetType.READ_FROM_MEMORY));
    consumer.getOffsetStore().persist(queue);
    out.say("offset at the broker", Env.until(() -> consumer.getOffsetStore().readOffset(queue, ReadOffsetType.READ_FROM_STORE) == 7));
    consumer.shutdown();
    producer.shutdown();
  }

  static void names(Env env, Outcome out) throws Exception {
    DefaultMQProducer producer = env.producer("ct_names");
    // Made by the first message to it, from the template.
    producer.send(Env.message("CtFresh", "", "", "first"));
    TreeMap<String, Object> made = new TreeMap<>();
    for (QueueData data : env.admin.examineTopicRouteInfo("CtFresh").getQueueDatas()) {
      made.put(data.getBrokerName(), List.of(data.getReadQueueNums(), data.getWriteQueueNums(), data.getPerm(), data.getTopicSysFlag()));
    }
    out.say("made", made);
    List<String> bodies = new ArrayList<>();
    Env.until(() -> {
      try {
        bodies.clear();
        env.read("CtFresh").forEach(m -> bodies.add(Env.body(m)));
        return bodies.size() == 1;
      } catch (Exception e) {
        return false;
      }
    });
    out.say("and read", bodies);
    producer.createTopic("TBW102", "CtCreated", 3, Collections.emptyMap());
    out.say("created", Env.until(() -> {
      try {
        return env.admin.examineTopicRouteInfo("CtCreated").getQueueDatas().get(0).getReadQueueNums() == 3;
      } catch (Exception e) {
        return false;
      }
    }));
    producer.shutdown();

    env.topic("ns%CtSpace", 2);
    DefaultMQProducer inside = new DefaultMQProducer("ct_space");
    inside.setNamespace("ns");
    inside.setNamesrvAddr(env.namesrv);
    inside.setInstanceName(env.instance());
    inside.setSendMsgTimeout(20_000);
    inside.start();
    DefaultMQPushConsumer consumer = env.push("ct_space_group");
    consumer.setNamespace("ns");
    Counted seen = new Counted();
    consume(consumer, "CtSpace", seen);
    byte[] large = new byte[100_000];
    Message message = new Message("CtSpace", "", "", large);
    inside.send(message);
    inside.send(Env.message("CtSpace", "", "", "small"));
    out.say("came", Env.until(() -> seen.distinct() == 2));
    out.say("by topic", new ArrayList<>(new java.util.TreeSet<>(seen.topics)));
    out.say("the group is", env.admin.examineConsumerConnectionInfo("ns%ct_space_group").getSubscriptionTable().keySet().contains("ns%CtSpace"));
    consumer.shutdown();
    inside.shutdown();
    out.say("and gone", Env.until(() -> Refused.code(() -> env.admin.examineConsumerConnectionInfo("ns%ct_space_group")).equals("broker 206")));
  }

  private static List<Object> told(PullResult got) {
    List<String> bodies = new ArrayList<>();
    if (got.getMsgFoundList() != null) {
      for (MessageExt m : got.getMsgFoundList()) {
        bodies.add(Env.body(m));
      }
    }
    return List.of(got.getPullStatus().toString(), got.getNextBeginOffset(), got.getMinOffset(), got.getMaxOffset(), bodies);
  }

  private static void consume(DefaultMQPushConsumer consumer, String topic, Counted seen) throws Exception {
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        seen.topics.add(m.getTopic());
        seen.see(m.getBody().length > 1000 ? m.getBody().length + " bytes" : Env.body(m));
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
  }
}
