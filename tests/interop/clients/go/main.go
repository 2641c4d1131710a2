// The official Go client, unmodified, put through what producers and consumers do; run against two brokers, and what it
// prints is compared. The topics exist before.
//
//	peer NAMESRV [SCENARIO...]
//
// As clients.Run of the Java peer: a line of JSON says nothing that may differ from run to run, and a boolean in it is a
// promise.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const patience = 150 * time.Second

var namesrv string

// outcome is what one scenario saw.
type outcome struct {
	name  string
	lines []string
}

func (o *outcome) say(what string, value any) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]any{"scenario": o.name, "what": what, "value": value}); err != nil {
		panic(err)
	}
	o.lines = append(o.lines, strings.TrimSpace(line.String()))
}

func (o *outcome) must(err error) {
	if err != nil {
		panic(fmt.Errorf("%s: %w", o.name, err))
	}
}

// counted says how often each body was seen.
type counted struct {
	mu   sync.Mutex
	seen map[string]int
}

func newCounted() *counted { return &counted{seen: map[string]int{}} }

func (c *counted) see(body string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[body]++
	return c.seen[body]
}

func (c *counted) distinct() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

func (c *counted) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for body, times := range c.seen {
		out[body] = times
	}
	return out
}

func until(condition func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return false
}

func (o *outcome) producer(options ...producer.Option) rocketmq.Producer {
	p, err := rocketmq.NewProducer(append([]producer.Option{
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{namesrv})),
		producer.WithGroupName("go_" + o.name),
		producer.WithInstanceName("go_producer_" + o.name),
		producer.WithSendMsgTimeout(20 * time.Second),
	}, options...)...)
	o.must(err)
	o.must(p.Start())
	return p
}

func (o *outcome) consumer(group, instance, topic, tags string, see func(*primitive.MessageExt) consumer.ConsumeResult,
	options ...consumer.Option) rocketmq.PushConsumer {
	c, err := rocketmq.NewPushConsumer(append([]consumer.Option{
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{namesrv})),
		consumer.WithGroupName(group),
		consumer.WithInstance("go_" + instance),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumeMessageBatchMaxSize(1),
	}, options...)...)
	o.must(err)
	o.must(c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: tags},
		func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
			result := consumer.ConsumeSuccess
			for _, m := range messages {
				result = see(m)
			}
			return result, nil
		}))
	o.must(c.Start())
	return c
}

func message(topic, tag, key, body string) *primitive.Message {
	m := primitive.NewMessage(topic, []byte(body))
	if tag != "" {
		m.WithTag(tag)
	}
	if key != "" {
		m.WithKeys([]string{key})
	}
	return m
}

var varying = []string{"UNIQ_KEY", "MIN_OFFSET", "MAX_OFFSET", "CONSUME_START_TIME", "ORIGIN_MESSAGE_ID", "REAL_QID"}

func properties(m *primitive.MessageExt) map[string]string {
	out := m.GetProperties()
	for _, name := range varying {
		if _, there := out[name]; there {
			out[name] = "*"
		}
	}
	return out
}

// Every way to send, then a consumer of everything.
func push(o *outcome) {
	const topic = "GoPush"
	p := o.producer()
	ctx := context.Background()
	for i := 0; i < 8; i++ {
		_, err := p.SendSync(ctx, message(topic, "sync", "key"+strconv.Itoa(i), fmt.Sprint("sync ", i)))
		o.must(err)
	}
	var waiting sync.WaitGroup
	for i := 0; i < 8; i++ {
		waiting.Add(1)
		o.must(p.SendAsync(ctx, func(_ context.Context, _ *primitive.SendResult, err error) {
			o.must(err)
			waiting.Done()
		}, message(topic, "async", "", fmt.Sprint("async ", i))))
	}
	waiting.Wait()
	for i := 0; i < 8; i++ {
		o.must(p.SendOneWay(ctx, message(topic, "oneway", "", fmt.Sprint("oneway ", i))))
	}
	var batch []*primitive.Message
	for i := 0; i < 5; i++ {
		batch = append(batch, message(topic, "batch", "", fmt.Sprint("batch ", i)))
	}
	sent, err := p.SendSync(ctx, batch...)
	o.must(err)
	o.say("batch", []int{int(sent.Status), len(strings.Split(sent.OffsetMsgID, ","))})
	long := message(topic, "long", "", strings.Repeat("长", 5000))
	long.WithProperty("user", "中文")
	_, err = p.SendSync(ctx, long)
	o.must(err)

	seen := newCounted()
	stored := map[string]any{}
	var mu sync.Mutex
	c := o.consumer("go_push_group", "push", topic, "*", func(m *primitive.MessageExt) consumer.ConsumeResult {
		body := string(m.Body)
		if len(body) > 100 {
			body = fmt.Sprint(len(body), " bytes of ", body[:3])
		}
		mu.Lock()
		stored[body] = []any{properties(m), m.ReconsumeTimes, m.QueueOffset >= 0}
		mu.Unlock()
		seen.see(body)
		return consumer.ConsumeSuccess
	})
	o.say("everything came", until(func() bool { return seen.distinct() == 30 }))
	o.say("how often", seen.all())
	mu.Lock()
	for _, body := range []string{"sync 3", "async 3", "oneway 3", "batch 3", "15000 bytes of 长"} {
		o.say("stored: "+body, stored[body])
	}
	mu.Unlock()
	o.must(c.Shutdown())
	o.must(p.Shutdown())
}

func tags(o *outcome) {
	const topic = "GoTags"
	some, all := newCounted(), newCounted()
	count := func(into *counted) func(*primitive.MessageExt) consumer.ConsumeResult {
		return func(m *primitive.MessageExt) consumer.ConsumeResult {
			into.see(string(m.Body))
			return consumer.ConsumeSuccess
		}
	}
	picky := o.consumer("go_tags_some", "tags_some", topic, "TagA || Aa", count(some))
	greedy := o.consumer("go_tags_all", "tags_all", topic, "*", count(all))
	p := o.producer()
	for round := 0; round < 3; round++ {
		for _, tag := range []string{"TagA", "TagB", "Aa", "BB", ""} {
			_, err := p.SendSync(context.Background(), message(topic, tag, "", fmt.Sprint("<", tag, "> ", round)))
			o.must(err)
		}
	}
	o.say("everything came", until(func() bool { return all.distinct() == 15 && some.distinct() >= 6 }))
	time.Sleep(time.Second)
	o.say("some", some.all())
	o.must(picky.Shutdown())
	o.must(greedy.Shutdown())
	o.must(p.Shutdown())
}

func orderly(o *outcome) {
	const topic = "GoOrderly"
	var mu sync.Mutex
	order := map[string][]int{}
	seen := newCounted()
	see := func(m *primitive.MessageExt) consumer.ConsumeResult {
		if seen.see(string(m.Body)) == 1 {
			parts := strings.Split(string(m.Body), " ")
			number, _ := strconv.Atoi(parts[1])
			mu.Lock()
			order[parts[0]] = append(order[parts[0]], number)
			mu.Unlock()
		}
		return consumer.ConsumeSuccess
	}
	c := o.consumer("go_orderly_group", "orderly", topic, "*", see, consumer.WithConsumerOrder(true))
	p := o.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	for i := 0; i < 20; i++ {
		for key := 0; key < 6; key++ {
			name := fmt.Sprint("k", key)
			_, err := p.SendSync(context.Background(), message(topic, "", "", fmt.Sprint(name, " ", i)).WithShardingKey(name))
			o.must(err)
		}
	}
	o.say("everything came", until(func() bool { return seen.distinct() == 120 }))
	mu.Lock()
	rising := true
	for _, numbers := range order {
		rising = rising && sort.IntsAreSorted(numbers)
	}
	mu.Unlock()
	o.say("in order", rising)
	o.must(c.Shutdown())
	o.must(p.Shutdown())
}

func delay(o *outcome) {
	const topic = "GoDelay"
	seen := newCounted()
	var mu sync.Mutex
	came := map[string]time.Time{}
	c := o.consumer("go_delay_group", "delay", topic, "*", func(m *primitive.MessageExt) consumer.ConsumeResult {
		mu.Lock()
		came[string(m.Body)] = time.Now()
		mu.Unlock()
		seen.see(string(m.Body))
		return consumer.ConsumeSuccess
	})
	p := o.producer()
	sent := map[string]time.Time{}
	waits := map[int]time.Duration{1: time.Second, 4: 2 * time.Second, 5: 3 * time.Second}
	for level := range waits {
		body := fmt.Sprint("level ", level)
		sent[body] = time.Now()
		_, err := p.SendSync(context.Background(), message(topic, "", "", body).WithDelayTimeLevel(level))
		o.must(err)
	}
	o.say("everything came", until(func() bool { return seen.distinct() == 3 }))
	early := false
	mu.Lock()
	for level, wait := range waits {
		body := fmt.Sprint("level ", level)
		early = early || came[body].Sub(sent[body]) < wait-10*time.Millisecond
	}
	mu.Unlock()
	o.say("nothing early", !early)
	o.say("how often", seen.all())
	o.must(c.Shutdown())
	o.must(p.Shutdown())
}

func retry(o *outcome) {
	const topic = "GoRetry"
	var mu sync.Mutex
	deliveries := map[string][]any{}
	seen := newCounted()
	c := o.consumer("go_retry_group", "retry", topic, "*", func(m *primitive.MessageExt) consumer.ConsumeResult {
		body := string(m.Body)
		times := seen.see(body)
		mu.Lock()
		deliveries[body] = append(deliveries[body], []any{m.Topic, m.ReconsumeTimes, properties(m)})
		mu.Unlock()
		if body == "good" || (body == "second time" && times == 2) {
			return consumer.ConsumeSuccess
		}
		return consumer.ConsumeRetryLater
	}, consumer.WithMaxReconsumeTimes(2))
	p := o.producer()
	for _, body := range []string{"good", "second time", "bad"} {
		_, err := p.SendSync(context.Background(), message(topic, "T", "", body))
		o.must(err)
	}
	o.say("all deliveries came", until(func() bool {
		all := seen.all()
		return all["good"] == 1 && all["second time"] == 2 && all["bad"] == 3
	}))
	time.Sleep(time.Second)
	mu.Lock()
	for _, body := range []string{"good", "second time", "bad"} {
		o.say("deliveries of "+body, deliveries[body])
	}
	mu.Unlock()
	o.must(c.Shutdown())
	o.must(p.Shutdown())
}

func pull(o *outcome) {
	const topic = "GoPull"
	p := o.producer()
	for i := 0; i < 20; i++ {
		_, err := p.SendSync(context.Background(), message(topic, "T", "", fmt.Sprint("pulled ", i)))
		o.must(err)
	}
	c, err := rocketmq.NewPullConsumer(
		consumer.WithGroupName("go_pull_group"),
		consumer.WithInstance("go_pull"),
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{namesrv})),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	o.must(err)
	o.must(c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: "T"}))
	o.must(c.Start())
	seen := newCounted()
	o.say("everything came", until(func() bool {
		got, err := c.Poll(context.Background(), time.Second)
		if err == nil {
			for _, m := range got.GetMsgList() {
				seen.see(string(m.Body))
			}
			c.ACK(context.Background(), got, consumer.ConsumeSuccess)
		}
		return seen.distinct() == 20
	}))
	o.must(c.Shutdown())
	o.must(p.Shutdown())
}

func main() {
	namesrv = os.Args[1]
	rlog.SetLogLevel("error")
	scenarios := []struct {
		name string
		run  func(*outcome)
	}{{"push", push}, {"tags", tags}, {"orderly", orderly}, {"delay", delay}, {"retry", retry}, {"pull", pull}}
	outcomes := make([]*outcome, len(scenarios))
	var waiting sync.WaitGroup
	for i, one := range scenarios {
		if named := " " + strings.Join(os.Args[2:], " ") + " "; len(os.Args) > 2 && !strings.Contains(named, " "+one.name+" ") {
			continue
		}
		outcomes[i] = &outcome{name: one.name}
		waiting.Add(1)
		go func(o *outcome, run func(*outcome)) {
			defer waiting.Done()
			begin := time.Now()
			defer func() {
				if failure := recover(); failure != nil {
					o.say("failed", fmt.Sprint(failure))
				}
				fmt.Fprintf(os.Stderr, "%s took %d ms\n", o.name, time.Since(begin).Milliseconds())
			}()
			run(o)
		}(outcomes[i], one.run)
	}
	waiting.Wait()
	for _, o := range outcomes {
		if o != nil {
			for _, line := range o.lines {
				fmt.Println(line)
			}
		}
	}
}
