package shop

// RiskControlAmount is the amount, in minor units of any currency, below which
// QFPay's documentation expects its risk control to refuse payments.
const RiskControlAmount = 200
