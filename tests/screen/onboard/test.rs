//! The wizard's last step: the test, its report, the question about a certificate, and saving with and without it.

use super::*;

#[test]
fn the_report_stands_step_by_step_and_enter_saves_what_passed() {
    let mut s = filled();
    s.keys("ctrl-n");
    assert!(
        s.text().contains("testing …") && s.text().contains("db1.example,1444 as dbtop (sql)"),
        "{}",
        s.text()
    );
    let (ticket, record) = tested(&mut s);
    assert_eq!(
        (record.host.as_str(), record.port, password(&record)),
        ("db1.example", Some(1444), "s3cret!")
    );
    s.wait_ms(3_000);
    assert!(s.text().contains("3 s of at most 10 s"), "{}", s.text());
    s.keys("enter");
    assert!(asked(&mut s).is_empty(), "nothing is saved while it runs");
    answer(&mut s, ticket, passed(), None);
    let text = s.text();
    for shown in [
        "● 10.0.0.7",
        "● 3 ms",
        "● TLS 1.2, ECDHE",
        "CN=Example Authority",
        "AB:AB:AB",
        "● 12 ms",
        "● 16.0.4185.3",
        "● 0.8 ms",
        "It works. Enter saves it.",
    ] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    s.keys("enter");
    let (record, of) = saved(&mut s).unwrap();
    assert_eq!((record.name.as_str(), password(&record), of), ("sales-1", "s3cret!", None));
    s.app.reply(Reply::Saved(Ok("saved sales-1".to_owned())));
    assert!(s.text().contains("saved sales-1") && !s.text().contains("Add an instance"), "{}", s.text());
}

#[test]
fn it_is_tested_from_any_step_and_esc_ends_the_test() {
    let mut s = filled();
    s.keys("ctrl-p ctrl-p ctrl-t");
    let (ticket, _) = tested(&mut s);
    s.keys("esc");
    assert!(matches!(asked(&mut s).as_slice(), [InventoryRequest::StopTest]));
    assert!(s.text().contains("Not tested."), "{}", s.text());
    answer(&mut s, ticket, passed(), None);
    assert!(s.text().contains("Not tested."), "a late answer is not for anybody\n{}", s.text());
    s.keys("ctrl-p ctrl-p ctrl-p ctrl-p ctrl-u ctrl-t");
    assert!(s.text().contains("Add an instance"), "{}", s.text());
}

#[test]
fn what_cannot_be_a_connection_is_not_tested() {
    let mut s = wizard();
    s.keys("ctrl-t");
    assert!(s.text().contains("where is it?"), "{}", s.text());
    assert!(asked(&mut s).is_empty());
}

#[test]
fn a_change_after_the_test_makes_it_stale_and_back_again_does_not() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, passed(), None);
    s.keys("esc esc esc esc");
    s.keys("ctrl-u 1555 ctrl-s");
    let text = s.text();
    assert!(text.contains("Stale:") && text.contains("The connection was changed after the test."), "{text}");
    assert!(saved(&mut s).is_none());
    s.keys("esc esc esc esc esc ctrl-u 1444 ctrl-s");
    assert!(saved(&mut s).is_some(), "as it was tested\n{}", s.text());
}

#[test]
fn notes_and_groups_do_not_make_a_test_stale() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, passed(), None);
    s.keys("esc web ctrl-s");
    assert_eq!(saved(&mut s).unwrap().0.groups, ["web"]);
}

#[test]
fn untested_it_is_saved_only_on_a_typed_word() {
    let mut s = filled();
    s.keys("ctrl-s");
    assert!(s.text().contains("Save it without a test that passed?"), "{}", s.text());
    s.keys("enter y enter");
    assert!(s.text().contains("that is not it: nothing was done"), "{}", s.text());
    assert!(saved(&mut s).is_none());
    s.keys("esc");
    assert!(!s.text().contains("Save it without"), "{}", s.text());
    s.keys("ctrl-s ctrl-s save enter");
    assert!(saved(&mut s).is_some());
}

#[test]
fn a_refused_login_is_told_and_enter_tests_again() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, login_refused(), None);
    let text = s.text();
    assert!(
        text.contains("✖ login refused: Login failed for user 'dbtop'.")
            && text.contains("It does not work yet."),
        "{text}"
    );
    assert!(text.contains("○ not reached"), "{text}");
    s.keys("enter");
    assert!(tested(&mut s).0 > ticket, "Enter tests, it never saves what failed");
}

#[test]
fn missing_rights_are_named_and_the_script_is_copied() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, passed(), Some(one_hole()));
    let text = s.text();
    assert!(
        text.contains("1 right is missing")
            && text.contains("VIEW SERVER STATE")
            && text.contains("waits and sessions of others"),
        "{text}"
    );
    s.keys("y");
    let copies = s.app.take_copies();
    assert!(copies.len() == 1 && copies[0].contains("GRANT VIEW SERVER STATE TO [dbtop];"), "{copies:?}");
    s.keys("enter");
    assert!(saved(&mut s).is_some(), "it works all the same");
}

#[test]
fn an_unknown_certificate_is_a_question_and_yes_pins_it_and_tests_again() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, untrusted(), None);
    let text = s.text();
    for shown in [
        "no reason to trust",
        "CN=db1.example",
        "CN=Example Authority",
        "2030-",
        "AB:AB:AB",
        "Pin this certificate?",
    ] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    s.keys("enter y enter");
    assert!(asked(&mut s).is_empty(), "a key too many pins nothing");
    s.keys("ctrl-u yes enter");
    let (again, record) = tested(&mut s);
    assert_eq!(pin(&record), Some("ab".repeat(32).as_str()));
    answer(&mut s, again, passed(), None);
    s.keys("enter");
    assert_eq!(pin(&saved(&mut s).unwrap().0), Some("ab".repeat(32).as_str()));
}

#[test]
fn no_is_an_answer_to_the_certificate() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, untrusted(), None);
    s.keys("esc");
    let text = s.text();
    assert!(
        !text.contains("Pin this certificate?") && text.contains("✖ TLS failed: the issuer is not trusted"),
        "{text}"
    );
    s.keys("ctrl-s save enter");
    assert_eq!(pin(&saved(&mut s).unwrap().0), None);
}

#[test]
fn another_certificate_than_the_pinned_one_is_a_louder_question() {
    let mut s = filled();
    s.keys("ctrl-p p tab");
    s.keys(&"cd".repeat(32)).keys("ctrl-t");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, untrusted(), None);
    let text = s.text();
    assert!(text.contains("This is not the certificate that is pinned"), "{text}");
    assert_eq!(s.colour_of("This is not the certificate"), crate::stage::theme("dark").critical.fg);
}

/// A refusal of the certificate that SQL Server makes for itself.
fn made_at_start(refusal: TlsRefusal) -> ConnectionReport {
    let mut report = untrusted();
    report.refusal = Some(refusal);
    report.certificate = Some(Certificate { made_at_start: true, ..certificate() });
    report
}

#[test]
fn a_certificate_that_ends_with_the_service_says_so_before_and_after_it_is_pinned() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, made_at_start(TlsRefusal::MadeAtStart), None);
    let text = s.text();
    for shown in
        ["makes another one at every start", "For good: install a certificate", "Pin this certificate?"]
    {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    s.keys("yes enter");
    let (again, _) = tested(&mut s);
    answer(&mut s, again, made_at_start(TlsRefusal::MadeAnew), None);
    let text = s.text();
    assert!(text.contains("The pinned certificate is gone: the server made a new one"), "{text}");
    assert!(!text.contains("in between"), "{text}");
}

#[test]
fn a_certificate_is_shown_once_and_only_one_that_can_be_pinned_is_a_question() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    let mut report = untrusted();
    answer(&mut s, ticket, report.clone(), None);
    assert_eq!(s.text().matches("CN=Example Authority").count(), 1, "{}", s.text());
    s.keys("esc");
    assert_eq!(s.text().matches("CN=Example Authority").count(), 1, "it stays in the report\n{}", s.text());
    let short =
        Certificate { key: "RSA 1024".into(), key_fault: Some(TlsRefusal::ShortKey), ..certificate() };
    report.certificate = Some(short);
    s.keys("ctrl-t");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, report.clone(), None);
    let text = s.text();
    assert!(!text.contains("Pin this certificate?") && text.contains("RSA 1024"), "{text}");
    (report.certificate, report.refusal) = (Some(certificate()), Some(TlsRefusal::KeyNotHeld));
    s.keys("ctrl-t");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, report, None);
    assert!(
        !s.text().contains("Pin this certificate?"),
        "nobody pins what somebody else holds\n{}",
        s.text()
    );
}

#[test]
fn a_refusal_leads_to_its_field() {
    let mut s = filled();
    s.keys("ctrl-s save enter");
    assert!(saved(&mut s).is_some());
    refuse(&mut s, Some("host"), "sales-9 is at db1.example,1444 already: it would be watched twice");
    let text = s.text();
    assert!(text.contains("✖ Host") && text.contains("it would be watched twice"), "{text}");
    s.keys("ctrl-u db2 ctrl-s save enter");
    assert!(saved(&mut s).is_some());
    refuse(&mut s, None, "the disk is full");
    assert!(s.text().contains("the disk is full") && s.text().contains("Add an instance"), "{}", s.text());
}

#[test]
fn a_second_login_on_a_server_is_a_question() {
    let mut s = filled();
    s.keys("ctrl-s save enter");
    let second = |s: &mut Stage| {
        asked(s).into_iter().find_map(|request| match request {
            InventoryRequest::Save { second_login, .. } => Some(second_login),
            _ => None,
        })
    };
    assert_eq!(second(&mut s), Some(false));
    let words = "sales-9 watches db1.example,1444 already, with the login sa";
    refuse(&mut s, Some("second-login"), words);
    assert!(
        s.text().contains("y watches it with both logins, Esc goes back: sales-9 watches"),
        "{}",
        s.text()
    );
    s.keys("esc");
    assert!(second(&mut s).is_none() && !s.text().contains("with both logins"), "{}", s.text());
    s.keys("ctrl-s save enter");
    assert_eq!(second(&mut s), Some(false), "asked again");
    refuse(&mut s, Some("second-login"), words);
    s.keys("y");
    assert_eq!(second(&mut s), Some(true));
}

#[test]
fn a_password_that_is_asked_for_at_start_is_tested_and_not_saved() {
    let mut s = wizard();
    s.keys("sales-1 tab db1 ctrl-n tab dbtop tab space tab");
    assert!(s.text().contains("for the test only"), "{}", s.text());
    s.keys("ctrl-t");
    assert!(s.text().contains("type it to test with") && asked(&mut s).is_empty(), "{}", s.text());
    s.keys("ctrl-n ctrl-n ctrl-n");
    assert!(s.text().contains("Not tested.") && asked(&mut s).is_empty(), "{}", s.text());
    s.keys("esc esc esc");
    s.keys("s3cret! ctrl-t");
    let (ticket, record) = tested(&mut s);
    assert_eq!(password(&record), "s3cret!");
    answer(&mut s, ticket, passed(), None);
    s.keys("enter");
    let (record, _) = saved(&mut s).unwrap();
    assert!(matches!(record.auth.secret(), Some(SecretRef::Ask)));
}

#[test]
fn a_pin_instead_of_strict_is_told() {
    let mut s = filled();
    s.keys("ctrl-p s ctrl-t");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, untrusted(), None);
    assert!(s.text().contains("It would not be strict any more"), "{}", s.text());
}

#[test]
fn any_size_shows_every_page() {
    let pages: [fn() -> Stage; 4] = [wizard, filled, reported, questioned];
    for page in pages {
        let mut s = page();
        for (width, height) in (1..=130).step_by(7).flat_map(|w| (1..=45).step_by(3).map(move |h| (w, h))) {
            (s.width, s.height) = (width, height);
            s.text();
        }
    }
}

/// With a report that names a hole.
fn reported() -> Stage {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, passed(), Some(one_hole()));
    s
}

/// With the question about the certificate.
fn questioned() -> Stage {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    answer(&mut s, ticket, untrusted(), None);
    s
}

#[test]
fn the_answer_finds_the_wizard_below_another_dialog() {
    let mut s = filled();
    s.keys("ctrl-n");
    let (ticket, _) = tested(&mut s);
    s.app.reply(Reply::Password { who: "other (sql)".to_owned(), wanted_by: InstanceId::new("x") });
    answer(&mut s, ticket, passed(), None);
    s.keys("esc");
    assert!(s.text().contains("It works. Enter saves it."), "{}", s.text());
}
