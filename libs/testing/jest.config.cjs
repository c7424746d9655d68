module.exports = require('../../jest.package.cjs')('testing');
