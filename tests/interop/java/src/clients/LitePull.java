package clients;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The lite pull consumer: with a subscription, and with queues of its own choice. */
final class LitePull {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtLite", 2);
    DefaultMQProducer producer = env.producer("ct_lite");
    for (int i = 0; i < 40; i++) {
      producer.send(Env.message(topic, i % 4 == 0 ? "other" : "wanted", "", "lite " + i), (all, m, arg) -> all.get((Integer) arg % 2), i);
    }
    Counted seen = new Counted();
    DefaultLitePullConsumer subscriber = consumer(env, "ct_lite_subscribe");
    subscriber.setAutoCommit(false);
    subscriber.subscribe(topic, "wanted");
    subscriber.start();
    poll(subscriber, seen, 30);
    out.say("subscribed: seen", seen.all());
    subscriber.commit();
    List<Long> committed = new ArrayList<>();
    List<MessageQueue> queues = sorted(subscriber.fetchMessageQueues(topic));
    Env.until(() -> {
      committed.clear();
      try {
        for (MessageQueue queue : queues) {
          committed.add(subscriber.committed(queue));
        }
      } catch (Exception e) {
        return false;
      }
      return committed.stream().mapToLong(n -> n).sum() == 40;
    });
    out.say("subscribed: committed", committed);
    subscriber.shutdown();

    DefaultLitePullConsumer chooser = consumer(env, "ct_lite_assign");
    chooser.setAutoCommit(false);
    chooser.start();
    List<MessageQueue> mine = sorted(chooser.fetchMessageQueues(topic)).subList(1, 2);
    // The client may hand out what a pull under way brings after the seek, so none is under way.
    chooser.assign(mine);
    chooser.pause(mine);
    Thread.sleep(3000);
    chooser.seek(mine.get(0), 15);
    chooser.resume(mine);
    Counted tail = new Counted();
    poll(chooser, tail, 5);
    out.say("assigned: from 15 on", tail.all());
    chooser.seekToBegin(mine.get(0));
    Counted again = new Counted();
    poll(chooser, again, 20);
    out.say("assigned: from the beginning", again.all());
    out.say("assigned: offset of a time long ago", chooser.offsetForTimestamp(mine.get(0), 0L));
    chooser.shutdown();
    producer.shutdown();
  }

  private static DefaultLitePullConsumer consumer(Env env, String group) {
    DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(group);
    consumer.setNamesrvAddr(env.namesrv);
    consumer.setInstanceName(env.instance());
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    return consumer;
  }

  private static void poll(DefaultLitePullConsumer consumer, Counted seen, int enough) throws InterruptedException {
    Env.until(() -> {
      for (MessageExt m : consumer.poll(200)) {
        seen.see(Env.body(m));
      }
      return seen.distinct() >= enough;
    });
  }

  private static List<MessageQueue> sorted(java.util.Collection<MessageQueue> queues) {
    List<MessageQueue> out = new ArrayList<>(queues);
    Collections.sort(out);
    return out;
  }
}
