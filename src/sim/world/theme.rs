//! The purpose of a server: the databases, tables, programs and people of one business area, so that all names on one
//! instance belong together.

/// One business area. Names only; sizes and numbers are rolled per instance.
#[derive(Debug, PartialEq, Eq)]
pub struct Theme {
    /// the area: group and label of its instances
    pub team: &'static str,
    /// databases, most important first
    pub databases: &'static [&'static str],
    /// the busiest table, as code spells it
    pub table: &'static str,
    /// its key
    pub key: &'static str,
    /// a number in it
    pub amount: &'static str,
    /// the table below it
    pub detail: &'static str,
    /// programs of the area, as program_name says it
    pub programs: &'static [&'static str],
    /// login of those programs
    pub login: &'static str,
    /// prefix of its application hosts
    pub host: &'static str,
}

/// The areas; instances take turns.
pub const THEMES: [Theme; 8] = [
    Theme {
        team: "orders",
        databases: &["orders", "orders_archive", "catalog", "pricing"],
        table: "dbo.[Order]",
        key: "OrderId",
        amount: "Total",
        detail: "dbo.OrderLine",
        programs: &["OrderService", "Checkout API", "Core Microsoft SqlClient Data Provider"],
        login: "app_orders",
        host: "WEB",
    },
    Theme {
        team: "billing",
        databases: &["billing", "ledger", "tax"],
        table: "dbo.Invoice",
        key: "InvoiceId",
        amount: "NetAmount",
        detail: "dbo.InvoiceItem",
        programs: &["InvoiceRunner", "Billing.Worker", ".Net SqlClient Data Provider"],
        login: "app_billing",
        host: "BILL",
    },
    Theme {
        team: "warehouse",
        databases: &["wms", "stock", "wms_history"],
        table: "inv.StockItem",
        key: "StockItemId",
        amount: "Quantity",
        detail: "inv.StockMove",
        programs: &["WMS Terminal", "Picking Service", "jTDS"],
        login: "wms_app",
        host: "WMS",
    },
    Theme {
        team: "crm",
        databases: &["crm", "marketing", "contacts"],
        table: "crm.Customer",
        key: "CustomerId",
        amount: "Balance",
        detail: "crm.Contact",
        programs: &["CRM Web", "Dynamics Sync", "Microsoft JDBC Driver for SQL Server"],
        login: "svc_crm",
        host: "CRM",
    },
    Theme {
        team: "web",
        databases: &["portal", "sessions", "cms"],
        table: "web.PageView",
        key: "ViewId",
        amount: "DurationMs",
        detail: "web.Session",
        programs: &["Portal", "node-mssql", "Portal Jobs"],
        login: "app_web",
        host: "WEB",
    },
    Theme {
        team: "payments",
        databases: &["payments", "risk", "settlement"],
        table: "pay.Payment",
        key: "PaymentId",
        amount: "Amount",
        detail: "pay.PaymentEvent",
        programs: &["PaymentGateway", "RiskEngine", "Go MSSQL Driver"],
        login: "app_pay",
        host: "PAY",
    },
    Theme {
        team: "hr",
        databases: &["hr", "timesheet", "payroll"],
        table: "hr.TimeEntry",
        key: "EntryId",
        amount: "Hours",
        detail: "hr.Employee",
        programs: &["TimeSheet", "Payroll.exe", "Microsoft Office 2016"],
        login: "hr_app",
        host: "HR",
    },
    Theme {
        team: "logistics",
        databases: &["routing", "fleet", "telemetry"],
        table: "dbo.Shipment",
        key: "ShipmentId",
        amount: "WeightKg",
        detail: "dbo.ShipmentEvent",
        programs: &["Dispatch", "Telemetry Ingest", "python-pyodbc"],
        login: "app_route",
        host: "LOG",
    },
];

/// People who open a query window.
pub const PEOPLE: [&str; 8] = [
    "ACME\\m.keller",
    "ACME\\s.okafor",
    "ACME\\j.lindqvist",
    "ACME\\r.tanaka",
    "ACME\\dba.night",
    "ACME\\p.moreau",
    "ACME\\a.novak",
    "report_reader",
];
