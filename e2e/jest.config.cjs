module.exports = require('../jest.package.cjs')('e2e');
