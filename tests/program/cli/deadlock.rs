//! `dbtop deadlock`: deadlocks in a file, without any server.

use crate::harness::{
    Home,
    process::{dbtop, run},
};

/// An event of Extended Events: a reader and a writer on two indexes of a table.
const EVENT: &str = r#"<event name="xml_deadlock_report" timestamp="2026-02-18T08:26:24.698Z"><data name="xml_report"><value><deadlock>
<victim-list><victimProcess id="p1"/></victim-list><process-list>
<process id="p1" spid="62" logused="0" waittime="4100" loginname="report" hostname="WEB-03" isolationlevel="read committed (2)"><executionStack><frame procname="orders.dbo.usp_OrderList" line="12">SELECT Total FROM dbo.[Order]</frame></executionStack><inputbuf>EXEC usp_OrderList</inputbuf></process>
<process id="p2" spid="88" logused="21504" waittime="4200" loginname="app" hostname="WEB-07" isolationlevel="read committed (2)"><executionStack><frame procname="orders.dbo.usp_Pay" line="40">UPDATE dbo.[Order] SET Paid = 1</frame></executionStack><inputbuf>EXEC usp_Pay</inputbuf></process>
</process-list><resource-list>
<keylock id="a" objectname="orders.dbo.Order" indexname="PK_Order" mode="X"><owner-list><owner id="p2" mode="X"/></owner-list><waiter-list><waiter id="p1" mode="S"/></waiter-list></keylock>
<keylock id="b" objectname="orders.dbo.Order" indexname="IX_Date" mode="S"><owner-list><owner id="p1" mode="S"/></owner-list><waiter-list><waiter id="p2" mode="X"/></waiter-list></keylock>
</resource-list></deadlock></value></data></event>"#;

#[test]
fn a_deadlock_is_told_with_its_victim_its_pattern_and_a_cure() {
    let home = Home::new();
    let (file, config) =
        (home.file("event.xml", EVENT), home.file("utc.toml", "[ui]\ntime_zone = \"utc\"\n"));
    let done = run(dbtop(&["deadlock"], &home).arg(&file).arg("--config").arg(&config));
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{}", done.stdout);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(
        lines[0].contains("2026-02-18 08:26:24")
            && lines[0].contains("UTC")
            && lines[0].contains("key lookup"),
        "{}",
        done.stdout
    );
    assert!(
        lines[1].contains("62") && lines[1].contains("✖ victim") && lines[1].contains("usp_OrderList:12"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("usual cure: include the missing columns"), "{}", done.stdout);

    let json = run(dbtop(&["deadlock", "-o", "json"], &home).arg(&file));
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value[0]["rings"][0]["pattern"], "key lookup");
    assert_eq!(value[0]["victims"][0], "p1");
}

#[test]
fn what_is_no_deadlock_is_said_in_a_sentence_with_the_file() {
    let home = Home::new();
    for (text, words) in
        [("<ShowPlanXML/>", "begins with <ShowPlanXML>"), (&EVENT[..40], "cut short"), ("", "no XML")]
    {
        let file = home.file("bad.xdl", text);
        let done = run(dbtop(&["deadlock"], &home).arg(&file));
        assert_ne!(done.code, Some(0), "{words}");
        assert!(done.stderr.contains(words) && done.stderr.contains("bad.xdl"), "{words}: {}", done.stderr);
    }
    // One that was cut further behind is worth what it has.
    let file = home.file("cut.xdl", &EVENT[..900]);
    let done = run(dbtop(&["deadlock"], &home).arg(&file));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("the report is cut short"), "{}", done.stdout);
}
